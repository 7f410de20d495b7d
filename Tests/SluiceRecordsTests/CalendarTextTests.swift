import SluiceCore
import Testing

@testable import SluiceRecords

@Suite struct CalendarTextTests {
    private func text(_ write: (inout ByteBuffer) -> Void) -> String {
        String(decoding: ByteBuffer.written(write), as: UTF8.self)
    }

    private func parsing<Value>(
        _ text: String, _ parse: (UnsafeRawBufferPointer) -> Value?
    ) -> Value? {
        Array(text.utf8).withUnsafeBytes { parse($0) }
    }

    @Test(
        "a date is written in the proleptic Gregorian calendar",
        arguments: [
            (0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (-719_162, "0001-01-01"),
            (-719_163, "0000-12-31"), (-719_528, "0000-01-01"), (-719_529, "-0001-12-31"),
            (2_932_896, "9999-12-31"), (2_932_897, "10000-01-01"), (-2_440_588, "-4713-11-24"),
            (Int32.max, "5881580-07-11"), (Int32.min, "-5877641-06-23"), (-25_567, "1900-01-01"),
            (-25_508, "1900-03-01"),
        ] as [(Int32, String)])
    func dates(_ days: Int32, _ expected: String) {
        #expect(text { CalendarText.append(date: days, to: &$0) } == expected)
        #expect(parsing(expected, CalendarText.parseDate) == days)
    }

    @Test(
        "a time is written without a fraction's last zeros",
        arguments: [
            (0, "00:00:00"), (1, "00:00:00.000001"), (-1, "-00:00:00.000001"),
            (500_000, "00:00:00.5"), (86_400_000_000, "24:00:00"),
            (3_020_399_999_999, "838:59:59.999999"), (-3_020_399_000_000, "-838:59:59"),
            (45_296_120_000, "12:34:56.12"), (Int64.max, "2562047788:00:54.775807"),
            (Int64.min, "-2562047788:00:54.775808"),
        ] as [(Int64, String)])
    func times(_ micros: Int64, _ expected: String) {
        #expect(text { CalendarText.append(time: micros, to: &$0) } == expected)
        #expect(parsing(expected, CalendarText.parseTime) == micros)
    }

    @Test(
        "a timestamp is a date and a time of day",
        arguments: [
            (0, "1970-01-01 00:00:00"), (-1, "1969-12-31 23:59:59.999999"),
            (946_684_800_000_000, "2000-01-01 00:00:00"),
            (Int64.max, "294247-01-10 04:00:54.775807"),
            (Int64.min, "-290308-12-21 19:59:05.224192"),
        ] as [(Int64, String)])
    func timestamps(_ micros: Int64, _ expected: String) {
        #expect(text { CalendarText.append(timestamp: micros, isUTC: false, to: &$0) } == expected)
        #expect(
            text { CalendarText.append(timestamp: micros, isUTC: true, to: &$0) } == expected + "Z")
        #expect(parsing(expected) { CalendarText.parseTimestamp($0, isUTC: false) } == micros)
        #expect(parsing(expected + "Z") { CalendarText.parseTimestamp($0, isUTC: true) } == micros)
        #expect(parsing(expected + "Z") { CalendarText.parseTimestamp($0, isUTC: false) } == nil)
        #expect(parsing(expected) { CalendarText.parseTimestamp($0, isUTC: true) } == nil)
    }

    @Test("only the one text of a date, a time and a timestamp is read")
    func refuses() {
        for wrong in [
            "", "1970", "1970-1-01", "1970-01-1", "1970-00-01", "1970-13-01", "1970-01-00",
            "1970-02-29", "1900-02-29", "1970-04-31", "-0000-01-01", "+1970-01-01", "01970-01-01",
            "170-01-01", "1970-01-01 ", " 1970-01-01", "1970/01/01", "--001-01-01",
            "5881580-07-12", "-5877641-06-22", "99999999-01-01", "999999999-01-01", "1970-01-011",
        ] {
            #expect(parsing(wrong, CalendarText.parseDate) == nil, "\(wrong)")
        }
        for wrong in [
            "", "1:00:00", "01:00", "01:60:00", "01:00:60", "01:00:00.", "01:00:00.0",
            "01:00:00.10", "01:00:00.1234567", "-00:00:00", "001:00:00", "+01:00:00", "01:00:00 ",
            "2562047788:00:54.775808", "-2562047788:00:54.775809", "2562047789:00:00",
            "99999999999:00:00", "01:0:00", "01:00:0", "01:00:00.1x",
        ] {
            #expect(parsing(wrong, CalendarText.parseTime) == nil, "\(wrong)")
        }
        for wrong in [
            "1970-01-01", "1970-01-01T00:00:00", "1970-01-01 24:00:00", "1970-01-01 -01:00:00",
            "1970-01-01  00:00:00", "294247-01-10 04:00:54.775808",
            "-290308-12-21 19:59:05.224191", "1970-01-01 000:00:00",
        ] {
            #expect(
                parsing(wrong) { CalendarText.parseTimestamp($0, isUTC: false) } == nil, "\(wrong)")
        }
    }

    @Test("dates, times and timestamps are read back from their texts, which keep to their limit")
    func roundTrip() {
        var factory = RecordFactory()
        for _ in 0..<20_000 {
            let days = Int32(truncatingIfNeeded: factory.long())
            let date = text { CalendarText.append(date: days, to: &$0) }
            #expect(parsing(date, CalendarText.parseDate) == days, "\(date) \(factory.seed)")
            let micros = factory.long()
            let time = text { CalendarText.append(time: micros, to: &$0) }
            #expect(parsing(time, CalendarText.parseTime) == micros, "\(time) \(factory.seed)")
            let stamp = text { CalendarText.append(timestamp: micros, isUTC: true, to: &$0) }
            #expect(
                parsing(stamp) { CalendarText.parseTimestamp($0, isUTC: true) } == micros,
                "\(stamp) \(factory.seed)")
            #expect(
                max(date.utf8.count, time.utf8.count, stamp.utf8.count) <= CalendarText.byteLimit)
        }
    }

    @Test("days follow each other through eight centuries, leap years and all")
    func everyDay() {
        var expected = CivilDate(year: 1600, month: 1, day: 1)
        var days = expected.days
        while expected.year < 2401 {
            #expect(CivilDate(days: days) == expected)
            #expect(expected.days == days)
            days += 1
            expected.day += 1
            if !expected.exists {
                expected.day = 1
                expected.month += 1
            }
            if expected.month > 12 {
                expected.month = 1
                expected.year += 1
            }
        }
    }

    @Test("every day of ten thousand years and far beyond is counted back to itself")
    func everyYear() {
        for range in [-800_000...3_000_000, 267_710_000...267_725_000] as [ClosedRange<Int64>] {
            var wrong: Int64?
            for days in range {
                let date = CivilDate(days: days)
                if !date.exists || date.days != days { wrong = days }
            }
            #expect(wrong == nil)
        }
    }
}
