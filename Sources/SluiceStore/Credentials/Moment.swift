internal import Glibc

/// Times as services write them.
enum Moment {
    /// Seconds since 1970 of `2026-01-31T23:59:59Z`, with or without a fraction, or with an offset
    /// like `+01:00`; nothing for anything else.
    static func seconds(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        let shape = Array("dddd-dd-ddTdd:dd:dd".utf8)
        guard bytes.count > shape.count, zip(bytes, shape).allSatisfy(fits) else { return nil }
        func number(_ place: Int, _ count: Int) -> Int {
            bytes[place..<place + count].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }
        var rest = bytes[shape.count...]
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { return nil }
            rest = rest[fraction.endIndex...]
        }
        guard let offset = offset(rest) else { return nil }
        guard (1...12).contains(number(5, 2)), (1...31).contains(number(8, 2)),
            number(11, 2) < 24, number(14, 2) < 60, number(17, 2) <= 60
        else { return nil }
        var parts = tm()
        parts.tm_year = Int32(number(0, 4) - 1900)
        parts.tm_mon = Int32(number(5, 2) - 1)
        parts.tm_mday = Int32(number(8, 2))
        parts.tm_hour = Int32(number(11, 2))
        parts.tm_min = Int32(number(14, 2))
        parts.tm_sec = Int32(number(17, 2))
        return timegm(&parts) - offset
    }

    /// Seconds east of Greenwich.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int? {
        if text.elementsEqual("Z".utf8) { return 0 }
        let text = Array(text)
        guard text.count == 6, zip(text.dropFirst(), "dd:dd".utf8).allSatisfy(fits) else {
            return nil
        }
        let digits = [text[1], text[2], text[4], text[5]].map { Int($0 - UInt8(ascii: "0")) }
        let seconds = (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60
        switch text[0] {
        case UInt8(ascii: "+"): return seconds
        case UInt8(ascii: "-"): return -seconds
        default: return nil
        }
    }

    private static func fits(_ byte: UInt8, _ shape: UInt8) -> Bool {
        shape == UInt8(ascii: "d") ? isDigit(byte) : byte == shape
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
