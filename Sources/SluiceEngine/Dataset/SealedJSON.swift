internal import SluiceCore
internal import SluiceRecords

/// JSON objects that carry their own hash: the last member is `"sha256"` over all bytes before that
/// member.
enum SealedJSON {
    private static let marker = Array("\"sha256\"".utf8)

    /// The object's stored bytes.
    static func bytes(_ object: JSON) -> [UInt8] {
        // Without the closing brace and its line feed; an object of ours always has members.
        var output = Array(object.pretty.utf8.dropLast(2)) + Array(",\n  ".utf8)
        let hash = output.withUnsafeBytes { Hexadecimal.string(SHA256.hash($0)) }
        output += marker + Array(": \"\(hash)\"\n}\n".utf8)
        return output
    }

    /// The object without its hash, or the failure that says which object is damaged.
    static func open(_ bytes: [UInt8], key: String) throws(Failure) -> JSON {
        guard let start = lastMarker(in: bytes), bytes.count < 1 << 30 else {
            throw damaged(key, "it carries no hash of itself")
        }
        let hash = bytes.withUnsafeBytes { all in
            Hexadecimal.string(SHA256.hash(UnsafeRawBufferPointer(rebasing: all[..<start])))
        }
        let json: JSON
        do throws(Failure) {
            json = try JSON(parsing: bytes)
        } catch {
            throw damaged(key, error.message)
        }
        guard let members = json.members, let last = members.last,
            last.key.utf8.elementsEqual("sha256".utf8), last.value == .string(hash)
        else { throw damaged(key, "its hash does not match its bytes") }
        return .object(Array(members.dropLast()))
    }

    static func damaged(_ key: String, _ why: String) -> Failure {
        Failure(
            .refused, "\(key) is damaged: \(why)",
            hint: "Nothing was taken from it; restore the object or export again elsewhere.")
    }

    private static func lastMarker(in bytes: [UInt8]) -> Int? {
        var start = bytes.count - marker.count
        while start >= 0 {
            if bytes[start..<start + marker.count].elementsEqual(marker) { return start }
            start -= 1
        }
        return nil
    }
}

/// Reads members of an object that a dataset holds; what is missing or of the wrong kind makes the
/// object damaged.
struct ObjectReader {
    let json: JSON
    let key: String

    private func missing(_ member: String) -> Failure {
        SealedJSON.damaged(key, "its member \"\(member)\" is missing or of the wrong kind")
    }

    func text(_ member: String) throws(Failure) -> String {
        guard let text = json[member]?.text else { throw missing(member) }
        return text
    }

    func name(_ member: String) throws(Failure) -> Name { Name(try text(member)) }

    /// Nothing for null or a missing member.
    func optionalText(_ member: String) throws(Failure) -> String? {
        guard let value = json[member], value != .null else { return nil }
        guard let text = value.text else { throw missing(member) }
        return text
    }

    /// Counts and sizes are never negative, and never so large that a computation with a few of
    /// them overflows.
    func count(_ member: String) throws(Failure) -> Int {
        guard let number = json[member]?.integer, (0...1 << 53).contains(number) else {
            throw missing(member)
        }
        return number
    }

    func flag(_ member: String) throws(Failure) -> Bool {
        guard let value = json[member]?.boolean else { throw missing(member) }
        return value
    }

    func any(_ member: String) throws(Failure) -> JSON {
        guard let value = json[member] else { throw missing(member) }
        return value
    }

    func object(_ member: String) throws(Failure) -> ObjectReader {
        guard let value = json[member], value.members != nil else { throw missing(member) }
        return ObjectReader(json: value, key: key)
    }

    func objects(_ member: String) throws(Failure) -> [ObjectReader] {
        guard let elements = json[member]?.elements else { throw missing(member) }
        return elements.map { ObjectReader(json: $0, key: key) }
    }

    func texts(_ member: String) throws(Failure) -> [String] {
        guard let elements = json[member]?.elements else { throw missing(member) }
        var texts: [String] = []
        for element in elements {
            guard let text = element.text else { throw missing(member) }
            texts.append(text)
        }
        return texts
    }

    func optionalTexts(_ member: String) throws(Failure) -> [String]? {
        json[member] == .null ? nil : try texts(member)
    }

    func names(_ member: String) throws(Failure) -> [Name] { try texts(member).map { Name($0) } }

    /// The members `schema` (null where there is none) and `table`.
    func tableName() throws(Failure) -> TableName {
        TableName(schema: try optionalText("schema").map { Name($0) }, try name("table"))
    }

    func digest(rows: Int) throws(Failure) -> Digest {
        guard let digest = Digest(text: try text("digest"), rowCount: rows) else {
            throw missing("digest")
        }
        return digest
    }
}

extension TableName {
    /// The members that `ObjectReader.tableName` reads.
    var members: [JSON.Member] {
        [.init("schema", JSON(schema?.text)), .init("table", .string(table.text))]
    }
}
