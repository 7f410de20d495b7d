import TestSupport
import Testing

/// The comparison that the migrations of MariaDB are judged by, tried on databases that sluice did not make.
@Suite("Comparing MariaDB databases by mariadb-dump and checksums")
struct MySQLCompareTests {
    private static let typeChanges = [
        "UPDATE fractions SET f = 16777200 WHERE id = 6",
        "UPDATE labels SET e = 'small' WHERE id = 10",
        "UPDATE calendar SET d = '0000-00-00' WHERE id = 5",
        "UPDATE texts SET c0 = NULL WHERE id = 1",
        "UPDATE generated SET hidden = 9 WHERE id = 1000",
        "DELETE FROM wrong_labels WHERE e = 0 LIMIT 1",
        "UPDATE shapes SET p = ST_GeomFromText('POINT(0 0)') WHERE id = 2",
    ]

    private static let objectChanges = [
        "DROP INDEX by_prefix ON many_indexes", "ALTER TABLE used_up AUTO_INCREMENT = 1000001",
        "ALTER TABLE tree COMMENT 'x'", "DELETE FROM no_key WHERE a = 1 LIMIT 1",
        "DROP FUNCTION plus_one", "SET sql_mode = 'ORACLE'; DROP PACKAGE BODY tools",
        "DROP VIEW a_view",
        "ALTER EVENT nightly ENABLE", "DROP TRIGGER before_two", "DO setval(odd_sequence, 50)",
        "ALTER TABLE parent DROP FOREIGN KEY `parent's child`",
        "ALTER TABLE in_latin ENGINE = Aria",
        "DELETE HISTORY FROM versioned", "ALTER TABLE many_indexes ALTER INDEX hidden NOT IGNORED",
        "ALTER SQL SECURITY DEFINER VIEW a_view (x, y) AS SELECT id, count(0) FROM z_view GROUP BY id",
    ]

    @Test(
        "finds nothing in a database that was made alike, and every small change of it",
        arguments: [("every-type", typeChanges), ("every-object", objectChanges)])
    func comparison(_ fixture: String, _ changes: [String]) throws {
        let source = try MariaDBDatabase()
        try source.make(from: "mariadb/\(fixture).sql")
        for change in ["DO 0"] + changes {
            let changed = try MariaDBDatabase()
            try changed.make(from: "mariadb/\(fixture).sql")
            // Nothing that is made beside the rows of a wrong label or date may complain of them.
            try changed.sql("SET sql_mode = 'ALLOW_INVALID_DATES'; \(change)")
            let difference = try source.difference(from: changed)
            #expect((difference == "") == (change == "DO 0"), "\(change): \(difference)")
        }
    }
}
