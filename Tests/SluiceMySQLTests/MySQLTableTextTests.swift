import SluiceCore
import Testing

@testable import SluiceMySQL

@Suite("What SHOW CREATE TABLE prints, taken apart")
struct MySQLTableTextTests {
    @Test("leaves rows and their order in the table, and keys for behind the rows")
    func split() throws {
        let text = try #require(
            MySQLTableText(
                """
                CREATE TABLE `or``ders` (
                  `id` int(11) NOT NULL AUTO_INCREMENT,
                  `note` varchar(20) DEFAULT 'a, KEY `b` (c) it''s \\\\',
                  `day` date DEFAULT NULL COMMENT 'with ) and (',
                  PRIMARY KEY (`id`),
                  UNIQUE KEY `once` (`note`(5),`day`),
                  KEY `day` (`day`),
                  FULLTEXT KEY `words` (`note`),
                  CONSTRAINT `of_day` FOREIGN KEY (`day`) REFERENCES `days` (`day`) ON DELETE CASCADE,
                  CONSTRAINT `abroad` FOREIGN KEY (`day`) REFERENCES `other`.`days` (`day`),
                  CONSTRAINT `early` CHECK (`day` < '2030-01-01')
                ) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='x, KEY `y` (z)'
                """))
        #expect(text.name == "or`ders")
        #expect(text.engine == "InnoDB")
        #expect(
            text.create == """
                CREATE TABLE `or``ders` (
                  `id` int(11) NOT NULL AUTO_INCREMENT,
                  `note` varchar(20) DEFAULT 'a, KEY `b` (c) it''s \\\\',
                  `day` date DEFAULT NULL COMMENT 'with ) and (',
                  PRIMARY KEY (`id`),
                  CONSTRAINT `early` CHECK (`day` < '2030-01-01')
                ) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='x, KEY `y` (z)'
                """)
        #expect(text.keys.map(\.name) == ["once", "day", "words"])
        #expect(text.keys.map(\.isFulltext) == [false, false, true])
        #expect(text.keys[0].sql == "UNIQUE KEY `once` (`note`(5),`day`)")
        #expect(text.foreignKeys.map(\.name) == ["of_day", "abroad"])
        #expect(
            text.foreignKeys.map(\.other) == [
                TableName("days"), TableName(schema: "other", "days"),
            ])
    }

    @Test("keeps the key that a column counts by, and those before it")
    func counted() throws {
        let text = try #require(
            MySQLTableText(
                """
                CREATE TABLE `t` (
                  `a` int(11) NOT NULL,
                  `n` int(11) NOT NULL AUTO_INCREMENT,
                  PRIMARY KEY (`a`,`n`),
                  KEY `before` (`a`),
                  KEY `n` (`n`),
                  KEY `behind` (`a`,`n`)
                ) ENGINE=InnoDB
                """))
        #expect(text.keys.map(\.name) == ["behind"])
        #expect(text.create.contains("  KEY `before` (`a`),\n  KEY `n` (`n`)\n) ENGINE=InnoDB"))
    }

    @Test("keeps a unique key that InnoDB keeps the rows by where there is no primary one")
    func clustered() throws {
        let text = try #require(
            MySQLTableText(
                """
                CREATE TABLE `t` (
                  `a` int(11) DEFAULT NULL,
                  `b` int(11) NOT NULL,
                  UNIQUE KEY `a` (`a`),
                  UNIQUE KEY `b` (`b`),
                  KEY `ab` (`a`,`b`)
                ) ENGINE=InnoDB
                """))
        #expect(text.keys.map(\.name) == ["ab"])
    }

    @Test("keeps all keys of other engines, whose tables would be copied for each")
    func otherEngines() throws {
        let text = try #require(
            MySQLTableText(
                "CREATE TABLE `t` (\n  `a` int(11),\n  KEY `a` (`a`)\n) ENGINE=MyISAM"))
        #expect(text.keys == [])
        #expect(text.create.contains("KEY `a` (`a`)"))
    }

    @Test("is nothing where the text is of something else")
    func other() {
        for sql in [
            "", "CREATE TABLE t", "CREATE VIEW `v` AS select 1", "CREATE TABLE `t` (`a` int",
        ] {
            #expect(MySQLTableText(sql) == nil, "\(sql)")
        }
    }

    @Test("forgets the source's database where a default counts by a sequence of it")
    func sequences() {
        let sql =
            "CREATE TABLE `t` (`a` int DEFAULT nextval(`sh``op`.`s`), `b` text DEFAULT 'nextval(`sh``op`.`s`)')"
        #expect(
            MySQLTableText.unbound(sql, from: "sh`op")
                == "CREATE TABLE `t` (`a` int DEFAULT nextval(`s`), `b` text DEFAULT 'nextval(`sh``op`.`s`)')"
        )
    }
}

@Suite("Views, routines, triggers and events as the server prints them")
struct MySQLCodeTests {
    private func code(_ sql: String, skipsOwners: Bool = false) -> MySQLCode {
        MySQLCode(kind: "FUNCTION", name: "f", sql: sql, skipsOwners: skipsOwners)
    }

    @Test("come with the settings that they were made under")
    func settings() {
        let made = code(
            "SET sql_mode = 'ANSI', character_set_client = latin1;\nCREATE FUNCTION f …")
        #expect(made.settings == "SET sql_mode = 'ANSI', character_set_client = latin1")
        #expect(made.sql == "CREATE FUNCTION f …")
        #expect(made.characterSet == "latin1")
        #expect(code("CREATE FUNCTION f\nx").settings == nil)
        // What every character set has needs no care.
        #expect(code("SET character_set_client = latin1;\nCREATE FUNCTION f").characterSet == nil)
        #expect(code("SET character_set_client = utf8mb3;\nCREATE … ").characterSet == nil)
    }

    @Test("name whom they run as, unless owners are skipped")
    func definers() {
        let sql = "CREATE DEFINER=`ap``p`@`%` FUNCTION `f`() RETURNS int RETURN 1"
        #expect(code(sql).definer == "ap`p@%")
        #expect(code(sql).sql == sql)
        let bare = code(sql, skipsOwners: true)
        #expect(bare.definer == nil)
        #expect(bare.sql == "CREATE FUNCTION `f`() RETURNS int RETURN 1")
    }

    @Test("are taken back by what the ledger has, and by nothing else")
    func drops() {
        let drop = MySQLDrop(kind: "PACKAGE BODY", name: "a`b")
        #expect(drop.sql == "DROP PACKAGE BODY IF EXISTS `a``b`")
        #expect(MySQLDrop(drop.sql) == drop)
        for sql in [
            "", "DROP DATABASE IF EXISTS `a`", "DROP TABLE `a`", "DROP TABLE IF EXISTS `a`, `b`",
            "DROP TABLE IF EXISTS `a`; DROP TABLE `b`", "DROP TABLE IF EXISTS `a`b`",
        ] {
            #expect(MySQLDrop(sql) == nil, "\(sql)")
        }
    }

    @Test("name labels in an order of their own")
    func labels() {
        func bytes(_ text: String, _ body: (UnsafeRawBufferPointer) -> Bool) -> Bool {
            Array(text.utf8).withUnsafeBytes { body($0) }
        }
        let labels = MySQLLabels("enum('a','it''s','b\\\\c','')")
        for label in ["a", "it's", "b\\c", ""] { #expect(bytes(label, labels.contain)) }
        for other in ["A", "1", "it''s", "a "] { #expect(!bytes(other, labels.contain)) }
        let set = MySQLLabels("set('x','y','z')")
        for some in ["", "x", "x,z", "x,y,z"] { #expect(bytes(some, set.areSome)) }
        for other in ["z,x", "x,x", "x,", ",x", "w"] { #expect(!bytes(other, set.areSome)) }
    }
}
