import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("Values as the server prints them are read exactly, and nothing else is taken")
struct MySQLTextTests {
    private func read<Value>(
        _ text: String, _ body: (UnsafeRawBufferPointer) -> Value?
    ) -> Value? {
        Array(text.utf8).withUnsafeBytes { body($0) }
    }

    @Test("whole numbers to the ends of 64 bits, zeros in front included")
    func integers() {
        #expect(read("-9223372036854775808", MySQLText.integer) == Int64.min)
        #expect(read("9223372036854775807", MySQLText.integer) == Int64.max)
        #expect(read("0000042", MySQLText.integer) == 42)
        #expect(read("18446744073709551615", MySQLText.unsigned) == UInt64.max)
        #expect(read("00000000000000000000000042", MySQLText.unsigned) == 42)
        for text in ["", "-", "1.", "1e3", "9223372036854775808", "+1", " 1"] {
            #expect(read(text, MySQLText.integer) == nil, "\(text)")
        }
        #expect(read("18446744073709551616", MySQLText.unsigned) == nil)
        #expect(read("99999999999999999999", MySQLText.unsigned) == nil)
    }

    @Test("decimals with as many places as their type has")
    func decimals() {
        #expect(read("-0012.30") { MySQLText.unscaled($0, scale: 2) } == -1230)
        #expect(read("-0.00") { MySQLText.unscaled($0, scale: 2) } == 0)
        #expect(read("7") { MySQLText.unscaled($0, scale: 0) } == 7)
        let nines = String(repeating: "9", count: 38)
        #expect(read(nines) { MySQLText.unscaled($0, scale: 0) } == Int128(nines))
        #expect(read("-0.\(nines)") { MySQLText.unscaled($0, scale: 38) } == Int128("-\(nines)"))
        for text in ["1.2", "12", ".12", "1,20", "", "-", "1.2a"] {
            #expect(read(text) { MySQLText.unscaled($0, scale: 2) } == nil, "\(text)")
        }
        let tooLong = String(repeating: "9", count: 40)
        #expect(read(tooLong) { MySQLText.unscaled($0, scale: 0) } == nil)
    }

    @Test("longer decimals as text without needless zeros")
    func numbers() {
        for (text, digits) in [
            ("00012.500", "12.500"), ("-0.5", "0.5"), ("0", "0"), ("-000", "0"), ("000.1", "0.1"),
        ] {
            let found = read(text) { bytes in
                MySQLText.number(bytes).map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(found == digits, "\(text)")
        }
        #expect(read("-") { MySQLText.number($0)?.count } == nil)
    }

    @Test("times of either sign to 838 hours, with up to six places")
    func times() {
        let hour: Int64 = 3_600_000_000
        #expect(read("-838:59:59.999999", MySQLText.time) == -3_020_399_999_999)
        #expect(read("838:59:59", MySQLText.time) == 3_020_399_000_000)
        #expect(read("-00:00:00.000001", MySQLText.time) == -1)
        #expect(read("01:00:00.5", MySQLText.time) == hour + 500_000)
        for text in [
            "1:00:00", "01:60:00", "01:00:60", "01:00:00.", "01:00:00.1234567", "0100:0:0",
        ] {
            #expect(read(text, MySQLText.time) == nil, "\(text)")
        }
        #expect(read("23:59:59.25", MySQLText.timeOfDay) == 86_399_250_000)
        #expect(read("24:00:00", MySQLText.timeOfDay) == nil)
    }

    @Test("dates with zero parts, and days no calendar has")
    func dates() {
        #expect(
            read("2024-02-30", MySQLText.date) == CalendarParts(year: 2024, month: 2, day: 30))
        #expect(read("0000-00-00", MySQLText.date) == CalendarParts(year: 0, month: 0, day: 0))
        #expect(read("2024-13-01", MySQLText.date) == nil)
        #expect(read("2024/02/01", MySQLText.date) == nil)
    }

    @Test("years of two digits are those of 1970 to 2069")
    func years() {
        #expect(MySQLText.year(70, digitCount: 2) == 1970)
        #expect(MySQLText.year(69, digitCount: 2) == 2069)
        #expect(MySQLText.year(0, digitCount: 4) == 0)
    }
}

@Suite("Defaults of columns become literals that every engine understands")
struct MySQLDefaultTests {
    private let mariaDB = MySQLFlavor("10.11.19-MariaDB")
    private let mySQL = MySQLFlavor("8.0.36")

    @Test("as MariaDB prints them, an expression")
    func expressions() {
        for (text, type, literal) in [
            ("5", "int", "5"), ("-1.50", "decimal", "-1.50"), ("NULL", "int", "NULL"),
            ("'it\\\\''s\\n'", "varchar", "'it\\''s\n'"), ("''", "char", "''"),
            ("'2024-01-02'", "date", "'2024-01-02'"),
        ] {
            let preset = MySQLDefault(text, isExpression: false, type: type, mariaDB)
            #expect(preset.literal == literal, "\(text)")
            #expect(!preset.isOther)
        }
        for (text, type) in [
            ("current_timestamp()", "timestamp"), ("concat('a','b')", "varchar"), ("b'101'", "bit"),
            ("'0000-00-00'", "date"), ("'a' collate x", "varchar"),
        ] {
            let preset = MySQLDefault(text, isExpression: false, type: type, mariaDB)
            #expect(preset.literal == nil && preset.isOther, "\(text)")
        }
        let none = MySQLDefault(nil, isExpression: false, type: "int", mariaDB)
        #expect(none.literal == nil && !none.isOther)
    }

    @Test("as MySQL prints them, the text itself")
    func texts() {
        #expect(
            MySQLDefault("it's", isExpression: false, type: "varchar", mySQL).literal == "'it''s'")
        #expect(MySQLDefault("7", isExpression: false, type: "int", mySQL).literal == "7")
        #expect(MySQLDefault("uuid()", isExpression: true, type: "char", mySQL).isOther)
    }
}
