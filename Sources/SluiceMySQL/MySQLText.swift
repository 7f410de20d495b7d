internal import SluiceRecords

/// Values in the forms in which the server prints them. Nothing for any other form.
enum MySQLText {
    @inline(__always)
    static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count > 0 else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        let digits = isNegative ? UnsafeRawBufferPointer(rebasing: text[1...]) : text
        guard let magnitude = unsigned(digits) else { return nil }
        if isNegative {
            guard magnitude <= Int64.min.magnitude else { return nil }
            return Int64(truncatingIfNeeded: 0 &- magnitude)
        }
        return Int64(exactly: magnitude)
    }

    @inline(__always)
    static func unsigned(_ text: UnsafeRawBufferPointer) -> UInt64? {
        guard text.count > 0 else { return nil }
        var value: UInt64 = 0
        if text.count < 20 {
            for byte in text {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value &* 10 &+ UInt64(digit)
            }
            return value
        }
        return longUnsigned(text)
    }

    /// Zeros in front may make it longer than 20 digits.
    private static func longUnsigned(_ text: UnsafeRawBufferPointer) -> UInt64? {
        var value: UInt64 = 0
        for byte in text {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = tens.addingReportingOverflow(UInt64(digit))
            guard !overflows, !overflowsToo else { return nil }
            value = sum
        }
        return value
    }

    /// The unscaled value of `-0012.30` with as many digits behind the point as the scale has.
    @inline(__always)
    static func unscaled(_ text: UnsafeRawBufferPointer, scale: Int) -> Int128? {
        guard text.count > 0 else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        let point = scale == 0 ? text.count : text.count &- scale &- 1
        guard point > start else { return nil }
        guard text.count < 20 else {
            return longUnscaled(text, from: start, point: point, isNegative: isNegative)
        }
        var value: UInt64 = 0
        var index = start
        while index < text.count {
            if index == point {
                guard text[index] == UInt8(ascii: ".") else { return nil }
            } else {
                let digit = text[index] &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value &* 10 &+ UInt64(digit)
            }
            index &+= 1
        }
        return isNegative ? -Int128(value) : Int128(value)
    }

    private static func longUnscaled(
        _ text: UnsafeRawBufferPointer, from start: Int, point: Int, isNegative: Bool
    ) -> Int128? {
        var value: Int128 = 0
        for index in start..<text.count {
            if index == point {
                guard text[index] == UInt8(ascii: ".") else { return nil }
                continue
            }
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = tens.addingReportingOverflow(Int128(digit))
            guard !overflows, !overflowsToo else { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }

    /// The digits without sign and without needless zeros in front.
    static func number(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var start = text.first == UInt8(ascii: "-") ? 1 : 0
        while start + 1 < text.count, text[start] == UInt8(ascii: "0"),
            text[start + 1] != UInt8(ascii: ".")
        {
            start += 1
        }
        guard start < text.count else { return nil }
        return UnsafeRawBufferPointer(rebasing: text[start...])
    }

    /// `YYYY-MM-DD`, whatever follows.
    @inline(__always)
    static func date(_ text: UnsafeRawBufferPointer) -> CalendarParts? {
        guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            let century = pair(text, 0), let year = pair(text, 2), let month = pair(text, 5),
            let day = pair(text, 8)
        else { return nil }
        return CalendarParts(year: century &* 100 &+ year, month: month, day: day)
    }

    /// The microseconds of `HH:MM:SS` or `HH:MM:SS.ffffff`, below those of a day.
    @inline(__always)
    static func timeOfDay(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 8, text[2] == UInt8(ascii: ":"), text[5] == UInt8(ascii: ":"),
            let hours = pair(text, 0), let minutes = pair(text, 3), let seconds = pair(text, 6),
            hours < 24, minutes < 60, seconds < 60
        else { return nil }
        let whole = Int64((hours &* 60 &+ minutes) &* 60 &+ seconds) &* 1_000_000
        guard text.count > 8 else { return whole }
        return fraction(UnsafeRawBufferPointer(rebasing: text[8...])).map { whole &+ $0 }
    }

    /// The microseconds of `-838:59:59.000000`.
    static func time(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 8 else { return nil }
        var place = text[0] == UInt8(ascii: "-") ? 1 : 0
        var hours: Int64 = 0
        let start = place
        while place < text.count, text[place] != UInt8(ascii: ":") {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10, place - start < 3 else { return nil }
            hours = hours &* 10 &+ Int64(digit)
            place &+= 1
        }
        guard place - start >= 2, text.count - place >= 6, text[place + 3] == UInt8(ascii: ":"),
            let minutes = pair(text, place + 1), let seconds = pair(text, place + 4),
            minutes < 60, seconds < 60
        else { return nil }
        var micros = (hours &* 60 &+ Int64(minutes)) &* 60 &+ Int64(seconds)
        micros = micros &* 1_000_000
        if text.count > place + 6 {
            guard let part = fraction(UnsafeRawBufferPointer(rebasing: text[(place + 6)...])) else {
                return nil
            }
            micros &+= part
        }
        return start == 1 ? 0 &- micros : micros
    }

    /// `.5` to `.500000`, in microseconds.
    @inline(__always)
    private static func fraction(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard (2...7).contains(text.count), text[0] == UInt8(ascii: ".") else { return nil }
        var value: Int64 = 0
        var index = 1
        while index < 7 {
            var digit: UInt8 = 0
            if index < text.count { digit = text[index] &- UInt8(ascii: "0") }
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
            index &+= 1
        }
        return value
    }

    @inline(__always)
    private static func pair(_ text: UnsafeRawBufferPointer, _ place: Int) -> Int? {
        let tens = text[place] &- UInt8(ascii: "0")
        let ones = text[place &+ 1] &- UInt8(ascii: "0")
        guard tens < 10, ones < 10 else { return nil }
        return Int(tens) &* 10 &+ Int(ones)
    }

    /// What a YEAR is, of which the server may print two digits only.
    @inline(__always)
    static func year(_ number: Int64, digitCount: Int) -> Int64 {
        digitCount > 2 ? number : number + (number < 70 ? 2000 : 1900)
    }
}
