internal import SluiceCore
internal import SluiceRecords

/// The keys of a dataset's objects and their grammar (docs/format.md).
enum DatasetKeys {
    static let header = "dataset.json"
    static let manifest = "manifest.json"
    static let handoff = "handoff.json"
    static let lease = "lease.json"
    static let schemaObjects = "schema/objects.json"
    static let schemaScript = "schema/schema.sql"

    /// Folders whose objects belong to a dataset; nothing else below the prefix is ever deleted.
    static let folders = ["schema/", "plan/", "data/", "seals/", "reports/", "holds/", "rejects/"]

    static func plan(_ segment: String) -> String { "plan/\(segment).json" }
    static func seal(_ segment: String, chunk: Int) -> String {
        "seals/\(segment)/\(padded(chunk)).json"
    }
    static func seals(_ segment: String) -> String { "seals/\(segment)/" }
    static func shards(_ segment: String) -> String { "data/\(segment)/" }
    static func hold(_ run: String) -> String { "holds/\(run).json" }
    static func report(_ run: String) -> String { "reports/\(run).json" }

    /// A shard's key ends in the first 16 digits of its SHA-256: equal keys mean equal bytes.
    static func shard(
        _ segment: String, chunk: Int, ordinal: Int, sha256: [UInt8], format: ShardFormat
    ) -> String {
        let hash = Hexadecimal.string(sha256.prefix(8))
        return "data/\(segment)/\(padded(chunk))-\(padded(ordinal))-\(hash)\(format.suffix)"
    }

    /// Whether a key that a dataset names is one that this table's shard could have.
    static func isShard(_ key: String, of segment: String, chunk: Int, ordinal: Int) -> Bool {
        let start = "data/\(segment)/\(padded(chunk))-\(padded(ordinal))-"
        guard key.utf8.starts(with: start.utf8) else { return false }
        return isHashAndSuffix(key.utf8.dropFirst(start.utf8.count))
    }

    private static func isHashAndSuffix(_ text: Substring.UTF8View) -> Bool {
        guard text.count > 16, text.prefix(16).allSatisfy(isLowerHexadecimal) else { return false }
        let suffix = String(decoding: text.dropFirst(16), as: UTF8.self)
        return [".avro", ".csv", ".csv.zst"].contains(suffix)
    }

    // MARK: Rejects

    static let rejects = "rejects/"

    /// The key of the shard with what was refused of the shard `origin`.
    static func rejects(of origin: String, sha256: [UInt8], format: ShardFormat) -> String {
        // Of `data/<table>/<chunk>-<ordinal>-<hash>.<suffix>` neither hash nor suffix has a hyphen.
        let end = origin.utf8.lastIndex(of: UInt8(ascii: "-")) ?? origin.utf8.endIndex
        let middle = origin[..<end].dropFirst("data/".count)
        return "\(rejects)\(middle)-\(Hexadecimal.string(sha256.prefix(8)))\(format.suffix)"
    }

    /// Whether a key is one that a shard with refused records of this table could have.
    static func isRejects(_ key: String, of segment: String) -> Bool {
        let start = "\(rejects)\(segment)/"
        guard key.utf8.starts(with: start.utf8) else { return false }
        let parts = key.utf8.dropFirst(start.utf8.count)
            .split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.count == 3 && isHashAndSuffix(parts[2])
            && parts.prefix(2).allSatisfy { number in
                number.count >= 5 && number.allSatisfy { (0x30...0x39).contains($0) }
            }
    }

    /// The key of the note beside a shard with refused records.
    static func note(ofRejects key: String) -> String {
        // A table's name may have a full stop, what follows the last hyphen only the suffix's.
        let utf8 = key.utf8
        let hash = utf8.lastIndex(of: UInt8(ascii: "-")) ?? utf8.startIndex
        let end = utf8[hash...].firstIndex(of: UInt8(ascii: ".")) ?? utf8.endIndex
        return key[..<end] + ".json"
    }

    static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
    }

    private static func isLowerHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// One segment of a key made from a table's name (design §4).
enum KeySegment {
    private static let lengthLimit = 120
    private static let keptLength = 100

    static func make(from name: TableName) -> String {
        var encoded = ""
        var raw: [UInt8] = []
        if let schema = name.schema {
            encoded = encode(schema) + "."
            raw = Array(schema.utf8) + [UInt8(ascii: ".")]
        }
        encoded += encode(name.table)
        raw += Array(name.table.utf8)
        guard encoded.utf8.count > lengthLimit else { return encoded }
        let hash = raw.withUnsafeBytes { Hexadecimal.string(SHA256.hash($0).prefix(8)) }
        return String(decoding: encoded.utf8.prefix(keptLength), as: UTF8.self) + "~" + hash
    }

    /// Whether a segment read from a dataset has the grammar of one that `make` gives.
    static func isLegal(_ segment: String) -> Bool {
        guard let first = segment.utf8.first, first != UInt8(ascii: "-"),
            first != UInt8(ascii: "."), segment.utf8.count <= lengthLimit
        else { return false }
        var dots = 0
        for byte in segment.utf8 {
            if byte == UInt8(ascii: ".") { dots += 1 }
            guard stays(byte) || "%~.ABCDEF".utf8.contains(byte) else { return false }
        }
        return dots <= 1
    }

    private static func encode(_ name: Name) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for (index, byte) in name.utf8.enumerated() {
            if stays(byte), index > 0 || byte != UInt8(ascii: "-") {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func stays(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
