internal import Glibc
public import SluiceCore

/// Floating-point numbers as decimal text: the shortest that reads back bit-equal.
///
/// Always with a point, an exponent, or one of the words `inf`, `-inf`, `nan`, so that no text of
/// a float is one of an integer: `1.0`, `-0.0`, `1e+16`.
public enum FloatText {
    /// No text of a float is longer.
    static let byteLimit = 32

    public static func append(_ value: Double, to output: inout ByteBuffer) {
        output.append(upTo: byteLimit) { write(value, to: $0) }
    }

    public static func append(_ value: Float, to output: inout ByteBuffer) {
        output.append(upTo: byteLimit) { write(value, to: $0) }
    }

    /// The number that `append` wrote as exactly this text; nothing for any other text of it.
    public static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        guard text.count <= byteLimit, let value = anyDouble(text) else { return nil }
        return isText(text, { write(value, to: $0) }) ? value : nil
    }

    /// The number that `append` wrote as exactly this text; nothing for any other text of it.
    public static func float(_ text: UnsafeRawBufferPointer) -> Float? {
        guard text.count <= byteLimit, let value = anyFloat(text) else { return nil }
        return isText(text, { write(value, to: $0) }) ? value : nil
    }

    /// The nearest number to a decimal text in any usual form: `+1`, `.5`, `1E5`, `Infinity`.
    /// Nothing when its size is beyond the type.
    public static func anyDouble(_ text: UnsafeRawBufferPointer) -> Double? {
        var scan = DecimalScan(text)
        switch scan.run() {
        case .number:
            // Both factors are exact, so the one rounding is the right one (Clinger).
            if scan.isExact, scan.digits <= 1 << 53, abs(scan.exponent) <= 22 {
                let digits = Double(scan.digits)
                let power = powersOfTen[abs(scan.exponent)]
                let size = scan.exponent < 0 ? digits / power : digits * power
                return scan.isNegative ? -size : size
            }
            guard let value = withCString(text, { strtod($0, $1) }), value.isFinite else {
                return nil
            }
            return value
        case .infinity: return scan.isNegative ? -.infinity : .infinity
        case .notANumber: return .nan
        case .other: return nil
        }
    }

    /// The nearest number to a decimal text in any usual form.
    static func anyFloat(_ text: UnsafeRawBufferPointer) -> Float? {
        var scan = DecimalScan(text)
        switch scan.run() {
        case .number:
            if scan.isExact, scan.digits <= 1 << 24, abs(scan.exponent) <= 10 {
                let digits = Float(scan.digits)
                let power = Float(powersOfTen[abs(scan.exponent)])
                let size = scan.exponent < 0 ? digits / power : digits * power
                return scan.isNegative ? -size : size
            }
            // Not by way of a double, which would round twice.
            guard let value = withCString(text, { strtof($0, $1) }), value.isFinite else {
                return nil
            }
            return value
        case .infinity: return scan.isNegative ? -.infinity : .infinity
        case .notANumber: return .nan
        case .other: return nil
        }
    }

    /// Whether `write` writes exactly this text.
    private static func isText(
        _ text: UnsafeRawBufferPointer, _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: byteLimit, alignment: 1) { room in
            guard write(room) == text.count else { return false }
            for index in 0..<text.count where room[index] != text[index] { return false }
            return true
        }
    }

    /// Writes the text and gives its length.
    private static func write(_ value: Double, to room: UnsafeMutableRawBufferPointer) -> Int {
        var stream = RoomStream(room: room)
        // The library would show a NaN's sign, and there is only one NaN in records.
        if value.isNaN { stream.write("nan") } else { value.write(to: &stream) }
        return stream.count
    }

    private static func write(_ value: Float, to room: UnsafeMutableRawBufferPointer) -> Int {
        var stream = RoomStream(room: room)
        if value.isNaN { stream.write("nan") } else { value.write(to: &stream) }
        return stream.count
    }

    /// A C function's value for the whole text, or nothing where it does not take it all.
    ///
    /// The process never leaves the C locale; in another one the text would not be taken.
    private static func withCString<Value>(
        _ text: UnsafeRawBufferPointer,
        _ read: (UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value? {
        // More digits than this can decide about no double.
        guard text.count < 1024 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { copy in
            guard let start = copy.baseAddress else { return nil }
            UnsafeMutableRawBufferPointer(copy).copyMemory(from: text)
            start[text.count] = 0
            var end: UnsafeMutablePointer<CChar>?
            let value = read(start, &end)
            return end == start + text.count ? value : nil
        }
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}

/// Takes the library's text of a number without a string in between.
private struct RoomStream: TextOutputStream {
    let room: UnsafeMutableRawBufferPointer
    var count = 0

    init(room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    mutating func write(_ string: String) {
        for byte in string.utf8 {
            room[count] = byte
            count += 1
        }
    }

    // The library hands numbers to this requirement as bytes on its stack. Should it ever stop,
    // `write` is called, and the test that counts allocations tells.
    mutating func _writeASCII(_ buffer: UnsafeBufferPointer<UInt8>) {
        UnsafeMutableRawBufferPointer(rebasing: room[count...])
            .copyMemory(from: UnsafeRawBufferPointer(buffer))
        count += buffer.count
    }
}

/// Takes a decimal text apart: sign, digits, power of ten.
private struct DecimalScan {
    enum Kind {
        case number
        case infinity
        case notANumber
        case other
    }

    private let text: UnsafeRawBufferPointer
    private var place = 0
    var isNegative = false
    var digits: UInt64 = 0
    var exponent = 0
    /// Whether `digits` and `exponent` are all of the text.
    var isExact = true

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    mutating func run() -> Kind {
        if let sign = next, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            place += 1
        }
        if isRest("inf") || isRest("infinity") { return .infinity }
        if isRest("nan") { return .notANumber }
        let start = place
        takeDigits(scale: 0)
        var count = place - start
        if next == UInt8(ascii: ".") {
            place += 1
            let fraction = place
            takeDigits(scale: -1)
            count += place - fraction
        }
        guard count > 0, takeExponent(), place == text.count else { return .other }
        return .number
    }

    private var next: UInt8? { place < text.count ? text[place] : nil }

    private mutating func takeDigits(scale: Int) {
        while let byte = next, byte &- 0x30 < 10 {
            let (tens, isTooLarge) = digits.multipliedReportingOverflow(by: 10)
            if isTooLarge || tens > UInt64.max - 9 {
                isExact = false
            } else {
                digits = tens + UInt64(byte - 0x30)
                exponent += scale
            }
            place += 1
        }
    }

    /// False where an exponent begins and has no digits.
    private mutating func takeExponent() -> Bool {
        guard let mark = next, mark | 0x20 == UInt8(ascii: "e") else { return true }
        place += 1
        var isDown = false
        if let sign = next, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isDown = sign == UInt8(ascii: "-")
            place += 1
        }
        let start = place
        var size = 0
        while let byte = next, byte &- 0x30 < 10 {
            size = min(size * 10 + Int(byte - 0x30), 100_000)
            place += 1
        }
        exponent += isDown ? -size : size
        return place > start
    }

    private func isRest(_ word: StaticString) -> Bool {
        guard text.count - place == word.utf8CodeUnitCount else { return false }
        for offset in 0..<word.utf8CodeUnitCount
        where text[place + offset] | 0x20 != word.utf8Start[offset] {
            return false
        }
        return true
    }
}
