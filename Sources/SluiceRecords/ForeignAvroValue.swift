internal import CAvro
internal import SluiceCore

/// A value in libavro's memory with its type, out of whatever unions were around it.
struct ForeignAvroValue {
    private(set) var value: avro_value_t
    private(set) var node: ForeignAvroTypes.Node
    let types: ForeignAvroTypes

    init(_ value: avro_value_t, _ number: Int, _ types: ForeignAvroTypes) throws(Failure) {
        self.value = value
        self.types = types
        node = types.nodes[number]
        while case .union(let branches) = node.base {
            var branch: Int32 = -1
            var content = avro_value_t()
            guard sluice_avro_discriminant(&self.value, &branch) == 0,
                branches.indices.contains(Int(branch)),
                sluice_avro_branch(&self.value, &content) == 0
            else { throw ForeignAvroValue.unreadable() }
            self.value = content
            node = types.nodes[branches[Int(branch)]]
        }
    }

    static func unreadable() -> Failure {
        Failure(.bug, "libavro does not give a value", code: String(cString: avro_strerror()))
    }

    var isNull: Bool {
        if case .null = node.base { return true }
        return false
    }

    /// An int's or a long's number.
    func long() throws(Failure) -> Int64? {
        var value = value
        switch node.base {
        case .int:
            var number: Int32 = 0
            guard sluice_avro_int(&value, &number) == 0 else {
                throw ForeignAvroValue.unreadable()
            }
            return Int64(number)
        case .long:
            var number: Int64 = 0
            guard sluice_avro_long(&value, &number) == 0 else {
                throw ForeignAvroValue.unreadable()
            }
            return number
        default: return nil
        }
    }

    func boolean() throws(Failure) -> Bool? {
        guard case .boolean = node.base else { return nil }
        var value = value
        var number: Int32 = 0
        guard sluice_avro_boolean(&value, &number) == 0 else {
            throw ForeignAvroValue.unreadable()
        }
        return number != 0
    }

    /// A float's or a double's number; every float is a double.
    func double() throws(Failure) -> Double? {
        var value = value
        switch node.base {
        case .float:
            var number: Float = 0
            guard sluice_avro_float(&value, &number) == 0 else {
                throw ForeignAvroValue.unreadable()
            }
            return Double(number)
        case .double:
            var number = 0.0
            guard sluice_avro_double(&value, &number) == 0 else {
                throw ForeignAvroValue.unreadable()
            }
            return number
        default: return nil
        }
    }

    /// The bytes of bytes, a fixed or a string; valid until the next row is read.
    func bytes() throws(Failure) -> UnsafeRawBufferPointer? {
        var value = value
        var start: UnsafeRawPointer?
        var count = 0
        switch node.base {
        case .bytes:
            guard sluice_avro_bytes(&value, &start, &count) == 0 else {
                throw ForeignAvroValue.unreadable()
            }
        case .fixed:
            guard sluice_avro_fixed(&value, &start, &count) == 0 else {
                throw ForeignAvroValue.unreadable()
            }
        case .string:
            var text: UnsafePointer<CChar>?
            guard sluice_avro_string(&value, &text, &count) == 0, count > 0 else {
                throw ForeignAvroValue.unreadable()
            }
            start = UnsafeRawPointer(text)
            // The NUL that libavro puts behind a string is no part of it.
            count -= 1
        default: return nil
        }
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    func symbol() throws(Failure) -> String? {
        guard case .enumeration(let symbols) = node.base else { return nil }
        var value = value
        var index: Int32 = -1
        guard sluice_avro_enum(&value, &index) == 0, symbols.indices.contains(Int(index)) else {
            throw ForeignAvroValue.unreadable()
        }
        return symbols[Int(index)]
    }

    /// A decimal's unscaled value with its scale; an int or long has scale 0. Nothing beyond 128
    /// bits.
    func decimal() throws(Failure) -> (unscaled: Int128, scale: Int)? {
        if node.logical == nil, let number = try long() { return (Int128(number), 0) }
        guard case .decimal(let scale, _) = node.logical, let digits = try bytes(),
            !digits.isEmpty
        else { return nil }
        let isNegative = digits[0] >= 0x80
        var value: Int128 = isNegative ? -1 : 0
        for index in 0..<digits.count {
            // The shift must not change the sign: a fixed may have more bytes than its value needs.
            guard value.magnitude >> 119 == 0 || (isNegative && value >= -(1 << 119)) else {
                return nil
            }
            value = value << 8 | Int128(digits[index])
        }
        return (value, scale)
    }

    /// How many elements an array or a map has.
    func elementCount() throws(Failure) -> Int {
        var value = value
        var count = 0
        guard sluice_avro_size(&value, &count) == 0 else { throw ForeignAvroValue.unreadable() }
        return count
    }

    /// A record's field, or an element with its key.
    func child(
        _ index: Int, _ number: Int
    ) throws(Failure) -> (value: ForeignAvroValue, key: UnsafePointer<CChar>?) {
        var value = value
        var child = avro_value_t()
        var key: UnsafePointer<CChar>?
        guard sluice_avro_child(&value, index, &child, &key) == 0 else {
            throw ForeignAvroValue.unreadable()
        }
        return (try ForeignAvroValue(child, number, types), key)
    }
}
