public import SluiceCore

/// Dates, times and timestamps as ISO text and back: one text per value, for every value that the
/// integer can have.
///
/// The proleptic Gregorian calendar with astronomical years: the year before 0001 is 0000, the one
/// before it -0001. Years have at least four digits and a sign only where they are negative:
/// `10000-01-01`, as databases read them. Fractions have no zero at their end, and no point where
/// they are zero.
public enum CalendarText {
    /// The most bytes any of the `append` functions writes.
    public static let byteLimit = 40
    static let microsPerDay: Int64 = 86_400_000_000

    /// `YYYY-MM-DD` of the days since 1970-01-01.
    public static func append(date days: Int32, to output: inout ByteBuffer) {
        let day = CivilDate(days: Int64(days))
        if day.year >= 0, day.year < 10_000 {
            return output.append(upTo: 10) { room in
                let (century, year) = Int(day.year).quotientAndRemainder(dividingBy: 100)
                DigitText.put(pair: century, at: 0, in: room)
                DigitText.put(pair: year, at: 2, in: room)
                room[4] = UInt8(ascii: "-")
                DigitText.put(pair: day.month, at: 5, in: room)
                room[7] = UInt8(ascii: "-")
                DigitText.put(pair: day.day, at: 8, in: room)
                return 10
            }
        }
        if day.year < 0 { output.append(UInt8(ascii: "-")) }
        DigitText.append(day.year.magnitude, atLeast: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        DigitText.append(UInt64(day.month), atLeast: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        DigitText.append(UInt64(day.day), atLeast: 2, to: &output)
    }

    /// `HH:MM:SS[.ffffff]` of signed microseconds; more than two digits of hours where they need
    /// them.
    public static func append(time micros: Int64, to output: inout ByteBuffer) {
        if micros < 0 { output.append(UInt8(ascii: "-")) }
        let (seconds, fraction) = micros.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        DigitText.append(seconds / 3600, atLeast: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        DigitText.append(seconds / 60 % 60, atLeast: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        DigitText.append(seconds % 60, atLeast: 2, to: &output)
        guard fraction > 0 else { return }
        output.append(UInt8(ascii: "."))
        DigitText.append(fraction, atLeast: 6, to: &output)
        while output.bytes[output.count - 1] == UInt8(ascii: "0") {
            output.truncate(to: output.count - 1)
        }
    }

    /// `YYYY-MM-DD HH:MM:SS[.ffffff]` of the microseconds since 1970, with `Z` behind it where
    /// they are UTC.
    public static func append(timestamp micros: Int64, isUTC: Bool, to output: inout ByteBuffer) {
        var (days, time) = micros.quotientAndRemainder(dividingBy: microsPerDay)
        if time < 0 {
            days -= 1
            time += microsPerDay
        }
        // 64 bits of microseconds are less than 2^27 days either way.
        append(date: Int32(days), to: &output)
        output.append(UInt8(ascii: " "))
        append(time: time, to: &output)
        if isUTC { output.append(UInt8(ascii: "Z")) }
    }

    /// The days since 1970 whose text this is; nothing for any other text.
    public static func parseDate(_ text: UnsafeRawBufferPointer) -> Int32? {
        var scanner = Scanner(text: text)
        guard let days = scanner.date(), scanner.isAtEnd else { return nil }
        return Int32(exactly: days)
    }

    /// The microseconds whose text this is; nothing for any other text.
    public static func parseTime(_ text: UnsafeRawBufferPointer) -> Int64? {
        var scanner = Scanner(text: text)
        let isNegative = scanner.accept(UInt8(ascii: "-"))
        guard let magnitude = scanner.time(hourLimit: 2_562_047_789), scanner.isAtEnd else {
            return nil
        }
        if isNegative {
            guard magnitude > 0, magnitude <= Int64.min.magnitude else { return nil }
            return Int64(truncatingIfNeeded: 0 &- magnitude)
        }
        return Int64(exactly: magnitude)
    }

    /// The microseconds since 1970 whose text this is; nothing for any other text.
    public static func parseTimestamp(_ text: UnsafeRawBufferPointer, isUTC: Bool) -> Int64? {
        var scanner = Scanner(text: text)
        guard let days = scanner.date(), scanner.accept(UInt8(ascii: " ")),
            let time = scanner.time(hourLimit: 24),
            !isUTC || scanner.accept(UInt8(ascii: "Z")), scanner.isAtEnd
        else { return nil }
        // In 128 bits, because the first day that 64 bits reach begins before their first
        // microsecond.
        return Int64(exactly: Int128(days) * Int128(microsPerDay) + Int128(time))
    }
}

/// A day of the proleptic Gregorian calendar.
struct CivilDate: Hashable {
    var year: Int64
    var month: Int
    var day: Int

    init(year: Int64, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// From days since 1970-01-01.
    init(days: Int64) {
        // Years are counted from March here, so that the leap day is a year's last.
        let shifted = days + 719_468
        self =
            (0..<1 << 28).contains(shifted)
            ? CivilDate(daysFromMarch: UInt32(truncatingIfNeeded: shifted))
            : CivilDate(distantDaysFromMarch: shifted)
    }

    private init(distantDaysFromMarch shifted: Int64) {
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// From days since 0000-03-01, by multiplications of 32 bits in place of most divisions:
    /// Neri and Schneider, "Euclidean affine functions and their application to calendar
    /// algorithms" (2022).
    private init(daysFromMarch days: UInt32) {
        let (century, restOfCentury) = (4 &* days &+ 3).quotientAndRemainder(dividingBy: 146_097)
        let product = 2_939_745 &* UInt64(restOfCentury | 3)
        let yearOfCentury = UInt32(truncatingIfNeeded: product >> 32)
        let dayOfYear = UInt32(truncatingIfNeeded: product) / 2_939_745 / 4
        let packed = 2_141 &* dayOfYear &+ 197_913
        let isNextYear = dayOfYear >= 306
        month = Int(packed >> 16) &- (isNextYear ? 12 : 0)
        day = Int((packed & 0xFFFF) / 2_141) &+ 1
        year = Int64(100 &* century &+ yearOfCentury) &+ (isNextYear ? 1 : 0)
    }

    /// Whether the calendar has this day.
    var exists: Bool {
        (1...12).contains(month) && day >= 1
            && day <= CivilDate.daysInMonth(month, ofYear: year)
    }

    /// Days since 1970-01-01. Only for days that exist, within some million years.
    var days: Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let monthFromMarch = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func daysInMonth(_ month: Int, ofYear year: Int64) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Walks over one text; each method takes what it understands or returns nothing.
private struct Scanner {
    let text: UnsafeRawBufferPointer
    var place = 0

    init(text: UnsafeRawBufferPointer) {
        self.text = text
    }

    var isAtEnd: Bool { place == text.count }

    mutating func accept(_ byte: UInt8) -> Bool {
        guard place < text.count, text[place] == byte else { return false }
        place += 1
        return true
    }

    /// A number of at least `least` digits and at most ten, more than `least` only where it needs
    /// them.
    mutating func number(atLeast least: Int, atMost most: Int) -> Int64? {
        let start = place
        var value: Int64 = 0
        while place < text.count, place - start < most {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value * 10 + Int64(digit)
            place += 1
        }
        let count = place - start
        guard count >= least, count == least || text[start] != UInt8(ascii: "0") else { return nil }
        return value
    }

    mutating func date() -> Int64? {
        let isNegative = accept(UInt8(ascii: "-"))
        guard let year = number(atLeast: 4, atMost: 8), !isNegative || year > 0,
            accept(UInt8(ascii: "-")), let month = number(atLeast: 2, atMost: 2),
            accept(UInt8(ascii: "-")), let day = number(atLeast: 2, atMost: 2)
        else { return nil }
        let civil = CivilDate(
            year: isNegative ? -year : year, month: Int(month), day: Int(day))
        return civil.exists ? civil.days : nil
    }

    mutating func time(hourLimit: Int64) -> UInt64? {
        guard let hours = number(atLeast: 2, atMost: 10), hours < hourLimit,
            accept(UInt8(ascii: ":")), let minutes = number(atLeast: 2, atMost: 2), minutes < 60,
            accept(UInt8(ascii: ":")), let seconds = number(atLeast: 2, atMost: 2), seconds < 60
        else { return nil }
        let whole = UInt64((hours * 60 + minutes) * 60 + seconds) * 1_000_000
        guard accept(UInt8(ascii: ".")) else { return whole }
        guard let fraction = fraction() else { return nil }
        return whole + fraction
    }

    /// One to six digits, the last of them not zero, as microseconds.
    mutating func fraction() -> UInt64? {
        let start = place
        var value: UInt64 = 0
        var unit: UInt64 = 100_000
        while place < text.count, place - start < 6 {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value += UInt64(digit) * unit
            unit /= 10
            place += 1
        }
        guard place > start, text[place - 1] != UInt8(ascii: "0") else { return nil }
        return value
    }
}
