internal import SluiceCore

/// Finds where a datum ends, before libavro reads it: it believes every length and count that it
/// finds.
struct ForeignAvroWalk {
    static let depthLimit = 64
    private static let valueLimit = 1 << 22

    let types: ForeignAvroTypes
    /// A datum of more bytes is a failure.
    let byteLimit: Int
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private var place = 0
    private var valueCount = 0

    init(_ types: ForeignAvroTypes, byteLimit: Int) {
        self.types = types
        self.byteLimit = byteLimit
    }

    /// The end of the record that begins at `start`.
    mutating func end(
        of start: Int, in bytes: UnsafeRawBufferPointer
    ) throws(Failure) -> Int {
        self.bytes = bytes
        place = start
        valueCount = 0
        try pass(types.root, depth: 0)
        guard place - start <= byteLimit else {
            throw Failure(
                .failed, "the row has more than \(byteLimit) bytes",
                hint: "Raise --row-bytes if rows may be this large.")
        }
        return place
    }

    private mutating func pass(_ number: Int, depth: Int) throws(Failure) {
        guard depth < ForeignAvroWalk.depthLimit else {
            throw Failure(.failed, "values are nested more than 64 deep")
        }
        valueCount += 1
        guard valueCount <= ForeignAvroWalk.valueLimit else {
            throw Failure(.failed, "the row has more than 4194304 values")
        }
        switch types.nodes[number].base {
        case .null: break
        case .boolean: try advance(1)
        case .int:
            guard Int32(exactly: try long()) != nil else {
                throw Failure(.failed, "an int has more than 32 bits")
            }
        case .long: _ = try long()
        case .float: try advance(4)
        case .double: try advance(8)
        case .bytes, .string: try advance(try long())
        case .enumeration(let symbols):
            guard symbols.indices.contains(try index()) else {
                throw Failure(.failed, "an enum has no such symbol")
            }
        case .fixed(let size): try advance(Int64(size))
        case .record(let fields):
            for field in fields { try pass(field.type, depth: depth + 1) }
        case .union(let branches):
            let branch = try index()
            guard branches.indices.contains(branch) else {
                throw Failure(.failed, "a union has no such branch")
            }
            try pass(branches[branch], depth: depth + 1)
        case .array(let inner):
            while let count = try blockCount() {
                for _ in 0..<count { try pass(inner, depth: depth + 1) }
            }
        case .map(let inner):
            while let count = try blockCount() {
                for _ in 0..<count {
                    try passKey()
                    try pass(inner, depth: depth + 1)
                }
            }
        }
    }

    /// libavro gives keys back as C strings.
    private mutating func passKey() throws(Failure) {
        let count = try long()
        let start = place
        try advance(count)
        for index in start..<place where bytes[index] == 0 {
            throw Failure(.failed, "a map has a key with a NUL byte")
        }
    }

    private mutating func blockCount() throws(Failure) -> Int? {
        var count = try long()
        if count < 0 {
            // A negative count is followed by the block's size.
            _ = try long()
            count = 0 &- count
        }
        if count == 0 { return nil }
        guard count > 0, count <= Int64(ForeignAvroWalk.valueLimit) else {
            throw Failure(.failed, "the row has more than 4194304 values")
        }
        return Int(count)
    }

    private mutating func index() throws(Failure) -> Int {
        Int(exactly: try long()) ?? -1
    }

    private mutating func advance(_ count: Int64) throws(Failure) {
        guard count >= 0, count <= Int64(bytes.count - place) else {
            throw Failure(.failed, "a value reaches beyond the end of its block")
        }
        place += Int(count)
    }

    private mutating func long() throws(Failure) -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while place < bytes.count, shift < 70 {
            let byte = bytes[place]
            place += 1
            if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(value & 1) }
            shift += 7
        }
        throw Failure(.failed, "a number has no end")
    }
}
