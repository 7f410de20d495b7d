internal import SluiceCore
internal import SluiceEngine

/// How values are written. Each function throws what was expected instead, as the end of a
/// sentence.
enum ValueSyntax {
    static func boolean(_ text: String) throws(Failure) -> Bool {
        switch text {
        case "true", "1": return true
        case "false", "0": return false
        default: throw Failure(.usage, "expected true or false")
        }
    }

    static func count(_ text: String, in range: ClosedRange<Int>) throws(Failure) -> Int {
        guard let number = wholeNumber(text), range.contains(number) else {
            throw Failure(
                .usage,
                "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static let byteUnits: [(name: String, factor: Int)] = [
        ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]

    /// `32MiB`, `1GB`, or a plain number of bytes; the case of the unit does not matter.
    static func bytes(_ text: String, in range: ClosedRange<Int>) throws(Failure) -> Int {
        let (number, unit) = split(text)
        if let number, ["k", "m", "g", "t"].contains(unit.lowercased()) {
            let letter = unit.uppercased()
            throw Failure(
                .usage, "the unit '\(unit)' could mean two sizes",
                hint: "Write \(number)\(letter)iB or \(number)\(letter)B.")
        }
        let factor = byteUnits.first { $0.name.lowercased() == unit.lowercased() }?.factor
        guard let number, let factor else { throw bytesExpected(range) }
        let (total, isTooLarge) = number.multipliedReportingOverflow(by: factor)
        guard !isTooLarge, range.contains(total) else { throw bytesExpected(range) }
        return total
    }

    private static func bytesExpected(_ range: ClosedRange<Int>) -> Failure {
        Failure(
            .usage,
            "expected a size from \(self.text(bytes: range.lowerBound)) "
                + "to \(self.text(bytes: range.upperBound))",
            hint: "Write a size like 32MiB, 1GB or a number of bytes.")
    }

    private static let timeUnits: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// `90s`, `4h`, `1h30m`, or a plain number of seconds.
    static func duration(
        _ text: String, in range: ClosedRange<Duration>
    ) throws(Failure) -> Duration {
        let expected = Failure(
            .usage,
            "expected a time from \(self.text(range.lowerBound)) to \(self.text(range.upperBound))",
            hint: "Write a time like 90s, 30m, 4h or 1h30m.")
        var total = 0
        if let seconds = wholeNumber(text) {
            let (milliseconds, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000)
            guard !isTooLarge else { throw expected }
            total = milliseconds
        } else {
            var rest = Substring(text)
            // Units go down, so that none is there twice.
            var units = timeUnits[...]
            while !rest.isEmpty {
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(digits.count)
                let name = rest.prefix { $0.isASCII && $0.isLetter }
                rest = rest.dropFirst(name.count)
                guard let number = wholeNumber(String(digits)),
                    let place = units.firstIndex(where: { $0.name == String(name) })
                else { throw expected }
                let (part, isTooLarge) = number.multipliedReportingOverflow(
                    by: units[place].milliseconds)
                let (sum, isSumTooLarge) = total.addingReportingOverflow(part)
                guard !isTooLarge, !isSumTooLarge else { throw expected }
                total = sum
                units = units[(place + 1)...]
            }
        }
        // Beyond this `Duration` arithmetic is needless; the range ends far below it.
        guard total <= 1 << 50, range.contains(.milliseconds(total)) else { throw expected }
        return .milliseconds(total)
    }

    static func choice(_ text: String, among known: [String]) throws(Failure) -> String {
        if known.contains(text) { return text }
        throw Failure(
            .usage, "expected \(list(known, "or"))", hint: Suggestion.hint(for: text, among: known))
    }

    /// Patterns separated by commas; a backslash makes a comma part of a pattern.
    static func globs(_ text: String) throws(Failure) -> [String] {
        var items: [String] = []
        var item = ""
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == ",", !isEscaped {
                items.append(item)
                item = ""
                continue
            }
            isEscaped = scalar == "\\" && !isEscaped
            item.unicodeScalars.append(scalar)
        }
        items.append(item)
        for item in items { _ = try Glob(item) }
        return items
    }

    /// Items separated by commas, of which those in brackets are none.
    static func list(of text: String) throws(Failure) -> [String] {
        var items: [String.UnicodeScalarView] = [String.UnicodeScalarView()]
        var depth = 0
        for scalar in text.unicodeScalars {
            if scalar == "(" { depth += 1 }
            if scalar == ")" { depth -= 1 }
            if scalar == ",", depth == 0 {
                items.append(String.UnicodeScalarView())
            } else {
                items[items.count - 1].append(scalar)
            }
        }
        let found = items.map { item in
            var item = item.drop { $0 == " " }
            while item.last == " " { item.removeLast() }
            return String(String.UnicodeScalarView(item))
        }
        guard found.allSatisfy({ !$0.isEmpty }) else {
            throw Failure(.usage, "expected texts separated by commas")
        }
        return found
    }

    /// `TABLE=SQL`, cut at the first `=`.
    static func filter(_ text: String) throws(Failure) -> Settings.Filter {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")), equals != text.startIndex,
            text.utf8.index(after: equals) != text.endIndex
        else {
            throw Failure(
                .usage, "expected TABLE=SQL", hint: "Write '--where \"orders=id > 100\"'.")
        }
        return Settings.Filter(
            table: String(text[..<equals]), sql: String(text[text.utf8.index(after: equals)...]))
    }

    /// `a, b and c`.
    static func list(_ names: [String], _ word: String = "and") -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " \(word) " + last
    }

    /// In the largest unit that gives a whole number: `32MiB`, `1GB`, `1000`.
    static func text(bytes: Int) -> String {
        let units = byteUnits.filter { $0.factor > 1 }.sorted { $0.factor > $1.factor }
        for unit in units where bytes > 0 && bytes.isMultiple(of: unit.factor) {
            return "\(bytes / unit.factor)\(unit.name)"
        }
        return String(bytes)
    }

    /// `4h`, `1h30m`, `90s` as `1m30s`.
    static func text(_ duration: Duration) -> String {
        var rest = Int(duration / .milliseconds(1))
        var text = ""
        for unit in timeUnits where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text.isEmpty ? "0s" : text
    }

    /// Digits only: no sign, no space, no overflow.
    private static func wholeNumber(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    private static func split(_ text: String) -> (number: Int?, unit: String) {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let number = String(digits) else { return (nil, text) }
        return (wholeNumber(number), String(text.dropFirst(number.count)))
    }
}
