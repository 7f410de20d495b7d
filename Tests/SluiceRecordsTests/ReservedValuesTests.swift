import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

/// These numbers are quoted in docs/format.md.
@Suite struct ReservedValuesTests {
    @Test("the codes are the documented numbers")
    func numbers() throws {
        #expect(ReservedValues.date(fromPostgres: .max) == -2_147_472_692)
        #expect(ReservedValues.date(fromPostgres: .min) == -2_147_472_691)
        #expect(ReservedValues.timestamp(fromPostgres: .max) == -9_222_425_352_054_775_809)
        #expect(ReservedValues.timestamp(fromPostgres: .min) == -9_222_425_352_054_775_808)
        #expect(
            ReservedValues.timestamp(fromPostgres: ReservedValues.PostgresTimestamp.end - 1)
                == -9_222_426_057_709_551_617)
        let zero = try #require(CalendarParts(year: 0, month: 0, day: 0))
        #expect(ReservedValues.date(zero) == -1_000_000_000)
        #expect(ReservedValues.timestamp(zero, microsOfDay: 0) == -4_000_000_000_000_000_000)
        let partial = try #require(CalendarParts(year: 2024, month: 0, day: 15))
        #expect(ReservedValues.date(partial) == -1_000_000_000 + (2024 * 13 + 0) * 32 + 15)
        #expect(
            ReservedValues.timestamp(partial, microsOfDay: 7)
                == -4_000_000_000_000_000_000 + ((2024 * 13) * 32 + 15) * 86_400_000_000 + 7)
        #expect(ReservedValues.unscaled(.nan, precision: 5) == 100_000)
        #expect(ReservedValues.unscaled(.infinity, precision: 5) == 100_001)
        #expect(ReservedValues.unscaled(.minusInfinity, precision: 5) == -100_001)
    }

    @Test("PostgreSQL's first and last days and instants are plain or wrapped as documented")
    func postgresEdges() {
        let dates = ReservedValues.PostgresDate.self
        #expect(ReservedValues.date(fromPostgres: dates.first) == -2_440_588)
        #expect(ReservedValues.date(fromPostgres: dates.end - 1) == 2_145_042_905)
        let stamps = ReservedValues.PostgresTimestamp.self
        #expect(
            ReservedValues.timestamp(fromPostgres: stamps.first) == -210_866_803_200_000_000)
        let lastPlain = Int64.max - ReservedValues.postgresTimestampShift
        #expect(ReservedValues.timestamp(fromPostgres: lastPlain) == .max)
        #expect(ReservedValues.timestamp(fromPostgres: lastPlain + 1) == .min)
        #expect(!ReservedValues.isReserved(.timestamp, .max))
        #expect(ReservedValues.isReserved(.timestamp, .min))
        #expect(ReservedValues.isReserved(.timestamp, stamps.lastWrapped))
        #expect(!ReservedValues.isReserved(.timestamp, stamps.lastWrapped + 1))
    }

    @Test("PostgreSQL's values come back, and what it cannot have is nothing")
    func postgres() {
        var factory = RecordFactory()
        let dates = ReservedValues.PostgresDate.self
        let stamps = ReservedValues.PostgresTimestamp.self
        for _ in 0..<20_000 {
            let day = Int32.random(in: dates.first..<dates.end, using: &factory.random)
            let value = ReservedValues.date(fromPostgres: day)
            #expect(ReservedValues.postgresDate(value) == day)
            #expect(!ReservedValues.isReserved(.date, Int64(value)))
            let micros = Int64.random(in: stamps.first..<stamps.end, using: &factory.random)
            let stamp = ReservedValues.timestamp(fromPostgres: micros)
            #expect(ReservedValues.postgresTimestamp(stamp) == micros)
            #expect(ReservedValues.impossibleTimestamp(stamp) == nil)
        }
        for infinity in [Int32.min, .max] {
            let value = ReservedValues.date(fromPostgres: infinity)
            #expect(ReservedValues.postgresDate(value) == infinity)
            #expect(ReservedValues.isReserved(.date, Int64(value)))
            #expect(ReservedValues.impossibleDate(value) == nil)
        }
        for infinity in [Int64.min, .max] {
            let value = ReservedValues.timestamp(fromPostgres: infinity)
            #expect(ReservedValues.postgresTimestamp(value) == infinity)
            #expect(ReservedValues.isReserved(.localTimestamp, value))
            #expect(ReservedValues.impossibleTimestamp(value) == nil)
        }
        #expect(ReservedValues.postgresDate(-2_440_589) == nil)
        #expect(ReservedValues.postgresDate(2_145_042_906) == nil)
        #expect(ReservedValues.postgresTimestamp(-210_866_803_200_000_001) == nil)
        #expect(ReservedValues.postgresTimestamp(stamps.lastWrapped + 1) == nil)
        #expect(ReservedValues.postgresTimestamp(-4_000_000_000_000_000_000) == nil)
    }

    @Test("every date that MySQL can keep has a value of its own")
    func mysqlDates() throws {
        var seen: Set<Int32> = []
        var count = 0
        for year in [0, 1, 4, 1900, 2000, 2023, 2024, 9999] {
            for month in 0...12 {
                for day in 0...31 {
                    let parts = try #require(CalendarParts(year: year, month: month, day: day))
                    let value = ReservedValues.date(parts)
                    count += 1
                    #expect(seen.insert(value).inserted)
                    let exists = parts.month > 0 && parts.day > 0 && parts.day <= monthLength(parts)
                    #expect(ReservedValues.isReserved(.date, Int64(value)) == !exists)
                    #expect(ReservedValues.impossibleDate(value) == (exists ? nil : parts))
                    #expect(ReservedValues.postgresDate(value) == nil || exists)
                    let stamp = ReservedValues.timestamp(parts, microsOfDay: 86_399_999_999)
                    #expect(ReservedValues.isReserved(.timestamp, stamp) == !exists)
                    #expect(
                        ReservedValues.impossibleTimestamp(stamp)?.parts == (exists ? nil : parts))
                    #expect(
                        ReservedValues.impossibleTimestamp(stamp)?.microsOfDay
                            == (exists ? nil : 86_399_999_999))
                    #expect(ReservedValues.postgresTimestamp(stamp) == nil || exists)
                }
            }
        }
        #expect(seen.count == count)
        #expect(CalendarParts(year: 10_000, month: 1, day: 1) == nil)
        #expect(CalendarParts(year: 1, month: 13, day: 1) == nil)
        #expect(CalendarParts(year: 1, month: 1, day: 32) == nil)
        #expect(CalendarParts(year: -1, month: 1, day: 1) == nil)
    }

    @Test("the wrong value of an ENUM is a label that nobody has, and is counted")
    func wrongLabel() throws {
        #expect(ReservedValues.wrongLabel == [0x00, 0x20])
        let schema = RecordSchema(
            table: TableName("t"),
            fields: [
                Field(name: "e", avroName: "e", type: .enumeration, isNullable: false),
                Field(name: "t", avroName: "t", type: .text, isNullable: false),
            ])
        var records = ByteBuffer()
        for text in ["\0 ", "\0 ", " ", "\0", "", "a "] {
            for _ in 0..<2 { Array(text.utf8).withUnsafeBytes { records.appendBytes($0) } }
        }
        var cursor = RecordCursor(records.bytes)
        var reserved = [0, 0]
        for _ in 0..<6 { try RecordValidator(schema).check(&cursor, reserved: &reserved) }
        // Of a text that says the same nothing is reserved.
        #expect(reserved == [2, 0])
    }

    private func monthLength(_ parts: CalendarParts) -> Int {
        CivilDate.daysInMonth(parts.month, ofYear: Int64(parts.year))
    }

    @Test("the regions of codes lie apart from each other and from every value without a code")
    func regions() {
        let mysqlEnd: Int64 = -4_000_000_000_000_000_000 + 10_000 * 13 * 32 * 86_400_000_000
        #expect(mysqlEnd < -210_866_803_200_000_000)
        #expect(ReservedValues.PostgresTimestamp.minusInfinity < -4_000_000_000_000_000_000)
        #expect(
            ReservedValues.PostgresTimestamp.lastWrapped < ReservedValues.PostgresTimestamp.infinity
        )
        #expect(-1_000_000_000 + 10_000 * 13 * 32 < -2_440_588)
        #expect(ReservedValues.PostgresDate.minusInfinity < -1_000_000_000)
    }

    @Test("a decimal that is no number has a code beyond every precision")
    func decimals() {
        for precision in 1...38 {
            let type = ColumnType.decimal(precision: precision, scale: 0)
            let largest = ReservedValues.decimalEnd(precision: precision) - 1
            #expect("\(largest)" == String(repeating: "9", count: precision))
            var codes: Set<Int128> = []
            for special in SpecialDecimal.allCases {
                let code = ReservedValues.unscaled(special, precision: precision)
                #expect(codes.insert(code).inserted)
                #expect(code > largest || code < -largest)
                #expect(ReservedValues.specialDecimal(code, precision: precision) == special)
                #expect(ReservedValues.isReserved(type, unscaled: code))
            }
            #expect(!ReservedValues.isReserved(type, unscaled: largest))
            #expect(!ReservedValues.isReserved(type, unscaled: -largest))
            #expect(!ReservedValues.isReserved(type, unscaled: -largest - 1))
        }
        #expect(!ReservedValues.isReserved(.uint64, unscaled: 100))
        #expect(!ReservedValues.isReserved(.int64, .min))
        #expect(!ReservedValues.isReserved(.date, Int64.min))
    }
}
