import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("What columns of MySQL are in records")
struct MySQLTypesTests {
    private func type(
        _ name: String, _ declared: String? = nil, set: String? = nil, precision: Int = 0,
        scale: Int? = nil, isJSON: Bool = false
    ) -> MySQLColumnType? {
        MySQLColumnType(
            MySQLColumnType.Description(
                name: name, declared: declared ?? name, characterSet: set, precision: precision,
                scale: scale, isJSON: isJSON))
    }

    @Test("numbers")
    func numbers() {
        #expect(type("tinyint", "tinyint(1)")?.type == .int32)
        #expect(type("int", "int(11)")?.type == .int32)
        #expect(type("int", "int(10) unsigned")?.type == .int64)
        #expect(type("mediumint", "mediumint(8) unsigned")?.type == .int32)
        #expect(type("bigint", "bigint(20)")?.type == .int64)
        #expect(type("bigint", "bigint(20) unsigned")?.type == .uint64)
        #expect(
            type("decimal", precision: 38, scale: 30)?.type == .decimal(precision: 38, scale: 30))
        #expect(type("decimal", precision: 39, scale: 0)?.type == .numberText)
        #expect(type("year")?.type == .int32)
        #expect(type("bit", "bit(9)", precision: 9)?.type == .bitString)
    }

    @Test("floats are asked for with all their digits")
    func floats() {
        #expect(type("float")?.after == " * 1e0")
        #expect(type("double", precision: 22)?.after == "")
        #expect(type("double", "double(10,2)", precision: 10, scale: 2)?.after == " * 1e0")
    }

    @Test("text is read as it is stored where that is UTF-8, and looked at where it may be lost")
    func texts() {
        #expect(type("varchar", set: "utf8mb4")?.reading == .storedText)
        #expect(type("varchar", set: "utf8mb4")?.before == "")
        #expect(type("text", set: "utf8mb3")?.after == " USING binary)")
        #expect(type("char", set: "ascii")?.before == "CONVERT(")
        #expect(type("char", set: "latin1")?.guardian == MySQLGuard.none)
        #expect(type("char", set: "sjis")?.guardian == .characters)
        #expect(type("longtext", set: "utf8mb4", isJSON: true)?.type == .json)
        #expect(
            MySQLGuard.characters.expression("`c`")
                == "IF(INSTR(CONVERT(`c` USING utf8mb4), '?') = 0, 1, "
                + "CHAR_LENGTH(CONVERT(`c` USING utf8mb4)) - "
                + "CHAR_LENGTH(REPLACE(CONVERT(`c` USING utf8mb4), '?', '')) = "
                + "CHAR_LENGTH(`c`) - CHAR_LENGTH(REPLACE(`c`, '?', '')))")
    }

    @Test("labels are looked at where an empty one could be mistaken")
    func labels() {
        #expect(type("enum", "enum('a','it''s')", set: "utf8mb4")?.guardian == MySQLGuard.none)
        #expect(
            type("enum", "enum('a','')", set: "utf8mb4")?.selected("e")
                == "IF(`e` + 0 = 0, CONVERT(x'0020' USING utf8mb4), CONVERT(`e` USING utf8mb4))")
        #expect(type("set", "set('','b')", set: "utf8mb4")?.guardian == .member)
        #expect(MySQLGuard.member.expression("`s`") == "NOT (`s` = '' AND `s` + 0 <> 0)")
    }

    @Test("a type that is not known is refused by name")
    func unknown() {
        let description = MySQLColumnType.Description(
            name: "xmltype", declared: "xmltype", characterSet: nil, precision: 0)
        let found = failure(of: { try description.known(as: "x", of: TableName("t")) })
        #expect(found?.kind == .refused)
        #expect(
            found?.message == "column x of t has the type xmltype, which sluice does not know")
        #expect(found?.hint == "Leave the table out with --exclude t.")
    }

    @Test("everything else, and nothing that is not known")
    func others() {
        let expected: [(String, ColumnType)] = [
            ("date", .date), ("time", .time), ("datetime", .localTimestamp),
            ("timestamp", .timestamp), ("uuid", .uuid), ("inet6", .serverText), ("json", .json),
            ("blob", .bytes), ("varbinary", .bytes), ("point", .bytes),
            ("geometrycollection", .bytes), ("vector", .bytes),
        ]
        for (name, wanted) in expected { #expect(type(name)?.type == wanted, "\(name)") }
        #expect(type("hologram") == nil)
    }

    @Test("the flavour and the version are read from what the server calls itself")
    func flavors() {
        let mariaDB = MySQLFlavor("5.5.5-10.11.19-MariaDB-0+deb12u1-log")
        #expect(mariaDB.isMariaDB && mariaDB.version == 101_119 && mariaDB.isTested)
        let mySQL = MySQLFlavor("8.0.36-0ubuntu0.22.04.1")
        #expect(!mySQL.isMariaDB && mySQL.version == 80_036 && !mySQL.isTested)
        #expect(mySQL.complaint == nil && mariaDB.complaint == nil)
        #expect(
            MySQLFlavor("10.3.39-MariaDB").complaint
                == "runs MariaDB 10.3.39-MariaDB, and sluice needs 10.5 or newer")
        #expect(
            MySQLFlavor("5.7.44").complaint == "runs MySQL 5.7.44, and sluice needs 8.0.11 or newer"
        )
    }
}
