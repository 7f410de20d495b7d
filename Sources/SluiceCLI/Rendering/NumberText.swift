/// Numbers as people read them, the same in every locale.
enum NumberText {
    /// `1,234,567`.
    static func grouped(_ number: Int) -> String {
        var output = ""
        let digits = String(number.magnitude)
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { output += "," }
            output.append(digit)
        }
        return (number < 0 ? "-" : "") + output
    }

    /// `950`, `28.1k`, `1.2M`.
    static func short(_ number: Double) -> String {
        for (limit, unit) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where number >= limit * 0.9995 {
            return oneDigit(number / limit) + unit
        }
        return String(Int(max(0, number).rounded()))
    }

    /// `31.2 MB/s`.
    static func byteRate(_ perSecond: Double) -> String {
        for (limit, unit) in [(1e9, "GB/s"), (1e6, "MB/s")] where perSecond >= limit * 0.9995 {
            return "\(oneDigit(perSecond / limit)) \(unit)"
        }
        return "\(oneDigit(max(0, perSecond) / 1e3)) kB/s"
    }

    /// `0:07`, `12:34`, `1:02:03`, `2d 03:04:05`.
    static func clock(_ seconds: Double) -> String {
        let total = Int(min(max(seconds, 0), 1e9))
        let (days, hours, minutes) = (total / 86_400, total / 3_600 % 24, total / 60 % 60)
        let end = "\(twoDigits(minutes)):\(twoDigits(total % 60))"
        if days > 0 { return "\(days)d \(twoDigits(hours)):\(end)" }
        if hours > 0 { return "\(hours):\(end)" }
        return "\(minutes):\(twoDigits(total % 60))"
    }

    /// `0.4 s`, `12.3 s`, `4 min 5 s`, `1 h 2 min`.
    static func spoken(_ seconds: Double) -> String {
        if seconds < 59.95 { return "\(oneDigit(max(0, seconds))) s" }
        let total = Int(seconds.rounded())
        if total < 3_600 { return "\(total / 60) min \(total % 60) s" }
        return "\(total / 3_600) h \(total / 60 % 60) min"
    }

    /// Milliseconds are enough for reports.
    static func rounded(_ seconds: Double) -> Double { (seconds * 1_000).rounded() / 1_000 }

    private static func oneDigit(_ number: Double) -> String {
        let tenths = Int((min(number, 1e15) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
