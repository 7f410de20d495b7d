internal import SluiceCore

/// Walks over a date, time or timestamp as other tools write them: year first, `-` or `/`
/// between, `T` or a space before the time, seconds and their fraction where there are any, a
/// zone as `Z`, `UTC` or an offset.
struct MomentScan {
    private let text: UnsafeRawBufferPointer
    private var place = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    private var isAtEnd: Bool { place == text.count }

    private var next: UInt8 { place < text.count ? text[place] : 0 }

    /// Days since 1970, or the code of a date that no calendar has.
    mutating func wholeDate() -> Int64? {
        if ForeignText.isWord(text, "infinity") {
            return Int64(ReservedValues.PostgresDate.infinity)
        }
        if ForeignText.isWord(text, "-infinity") {
            return Int64(ReservedValues.PostgresDate.minusInfinity)
        }
        guard let date = date() else { return nil }
        if !isAtEnd {
            // Midnight is no time of its own.
            guard takeSeparator(), time(hourLimit: 24) == 0, isAtEnd else { return nil }
        }
        switch date {
        case .number(let days): return Int32(exactly: days).map(Int64.init)
        case .impossible(let parts): return Int64(ReservedValues.date(parts))
        }
    }

    /// Microseconds, within what a record's time can be.
    mutating func wholeTime() -> Int64? {
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { place += 1 }
        guard let micros = time(hourLimit: 839), isAtEnd, micros <= RecordValidator.timeLimit else {
            return nil
        }
        return isNegative ? -micros : micros
    }

    /// Microseconds since 1970, or the code of a date that no calendar has. Without a zone it is
    /// UTC.
    mutating func wholeTimestamp(isUTC: Bool) -> Int64? {
        if ForeignText.isWord(text, "infinity") { return ReservedValues.PostgresTimestamp.infinity }
        if ForeignText.isWord(text, "-infinity") {
            return ReservedValues.PostgresTimestamp.minusInfinity
        }
        guard let date = date() else { return nil }
        var micros: Int64 = 0
        if !isAtEnd {
            guard takeSeparator(), let time = time(hourLimit: 24) else { return nil }
            micros = time
        }
        var offset: Int64 = 0
        if !isAtEnd {
            guard isUTC, let zone = zone(), isAtEnd else { return nil }
            offset = zone
        }
        let days: Int64
        switch date {
        case .number(let number): days = number
        case .impossible(let parts):
            return offset == 0 ? ReservedValues.timestamp(parts, microsOfDay: micros) : nil
        }
        let (midnight, overflows) = days.multipliedReportingOverflow(
            by: CalendarText.microsPerDay)
        let (moment, overflowsToo) = midnight.addingReportingOverflow(micros - offset)
        // What is so far away may be the code of something else.
        guard !overflows, !overflowsToo, !ReservedValues.isReserved(.timestamp, moment) else {
            return nil
        }
        return moment
    }

    private enum Day {
        /// Since 1970.
        case number(Int64)
        /// One of MySQL's that no calendar has.
        case impossible(CalendarParts)
    }

    private mutating func date() -> Day? {
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { place += 1 }
        guard let year = number(4...7) else { return nil }
        let separator = next
        guard separator == UInt8(ascii: "-") || separator == UInt8(ascii: "/") else { return nil }
        place += 1
        guard let month = number(1...2), next == separator else { return nil }
        place += 1
        guard let day = number(1...2) else { return nil }
        let civil = CivilDate(year: isNegative ? -year : year, month: Int(month), day: Int(day))
        if civil.exists { return .number(civil.days) }
        // A part of zero is one of MySQL's dates; any other that the calendar does not have is a
        // mistake.
        guard month == 0 || day == 0, !isNegative,
            let parts = CalendarParts(year: Int(year), month: Int(month), day: Int(day))
        else { return nil }
        return .impossible(parts)
    }

    private mutating func takeSeparator() -> Bool {
        guard next == UInt8(ascii: " ") || next | 0x20 == UInt8(ascii: "t") else { return false }
        place += 1
        return true
    }

    private mutating func time(hourLimit: Int64) -> Int64? {
        guard let hours = number(1...3), hours < hourLimit, takeColon(),
            let minutes = number(2...2), minutes < 60
        else { return nil }
        var micros = (hours * 60 + minutes) * 60_000_000
        guard next == UInt8(ascii: ":") else { return micros }
        place += 1
        guard let seconds = number(2...2), seconds < 60 else { return nil }
        micros += seconds * 1_000_000
        guard next == UInt8(ascii: ".") || next == UInt8(ascii: ",") else { return micros }
        place += 1
        let start = place
        var unit: Int64 = 100_000
        while place < text.count {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            // Nothing is rounded: digits beyond the microseconds are zeros.
            if unit == 0, digit != 0 { return nil }
            micros += Int64(digit) * unit
            unit /= 10
            place += 1
        }
        return place > start ? micros : nil
    }

    private mutating func takeColon() -> Bool {
        guard next == UInt8(ascii: ":") else { return false }
        place += 1
        return true
    }

    /// Microseconds that the zone is ahead of UTC.
    private mutating func zone() -> Int64? {
        if next == UInt8(ascii: " ") { place += 1 }
        if next | 0x20 == UInt8(ascii: "z") {
            place += 1
            return 0
        }
        let rest = UnsafeRawBufferPointer(rebasing: text[place...])
        if ForeignText.isWord(rest, "utc") || ForeignText.isWord(rest, "gmt") {
            place = text.count
            return 0
        }
        guard next == UInt8(ascii: "+") || next == UInt8(ascii: "-") else { return nil }
        let isNegative = next == UInt8(ascii: "-")
        place += 1
        guard let hours = number(2...2), hours < 24 else { return nil }
        var minutes: Int64 = 0
        if !isAtEnd {
            if next == UInt8(ascii: ":") { place += 1 }
            guard let given = number(2...2), given < 60 else { return nil }
            minutes = given
        }
        let micros = (hours * 60 + minutes) * 60_000_000
        return isNegative ? -micros : micros
    }

    private mutating func number(_ digits: ClosedRange<Int>) -> Int64? {
        let start = place
        var value: Int64 = 0
        while place < text.count, place - start < digits.upperBound {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value * 10 + Int64(digit)
            place += 1
        }
        return place - start >= digits.lowerBound ? value : nil
    }
}
