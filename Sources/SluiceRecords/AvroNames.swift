public import SluiceCore

/// Names as Avro allows them (design §4); the names themselves are kept beside them.
public enum AvroNames {
    /// The legal name: every byte outside `[A-Za-z0-9_]` becomes `_`; a leading digit or nothing
    /// at all gets a `_`.
    static func legal(_ name: Name) -> String {
        var output: [UInt8] = []
        for byte in name.utf8 {
            output.append(isLegal(byte) ? byte : UInt8(ascii: "_"))
        }
        if output.isEmpty || isDigit(output[0]) { output.insert(UInt8(ascii: "_"), at: 0) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Legal names for a table's columns, in their order. One that differs from an earlier one at
    /// most in case gets the first of `_2`, `_3`, … that is free.
    public static func make(for names: [Name]) -> [String] {
        var taken: Set<String> = []
        // The last number given to each name, so that a thousand equal ones are not tried a
        // million times.
        var numbers: [String: Int] = [:]
        return names.map { name in
            let plain = legal(name)
            var candidate = plain
            let folded = plain.lowercased()
            while !taken.insert(candidate.lowercased()).inserted {
                let number = (numbers[folded] ?? 1) + 1
                numbers[folded] = number
                candidate = "\(plain)_\(number)"
            }
            return candidate
        }
    }

    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "_"):
            true
        default: isDigit(byte)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
