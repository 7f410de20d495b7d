internal import SluiceCore
internal import SluiceRecords

/// What the service tells about one object.
struct GCSObject: Equatable {
    static let fields = "size,crc32c,generation"

    var byteCount: Int
    var crc32c: String
    var generation: String

    /// Nothing unless the answer has all of it.
    init?(_ body: UnsafeRawBufferPointer) {
        guard let json = try? JSON(parsing: Array(body)),
            let byteCount = json["size"]?.text.flatMap({ Int($0) }), byteCount >= 0,
            let crc32c = json["crc32c"]?.text,
            let generation = json["generation"]?.text, !generation.isEmpty,
            generation.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        self.byteCount = byteCount
        self.crc32c = crc32c
        self.generation = generation
    }

    /// As the service writes it: base64 of the big-endian bytes.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> String {
        let sum = CRC32C.checksum(bytes)
        return Base64.string(
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: sum >> $0) })
    }

    /// The checksum that an answer's headers tell, in one header or several.
    static func checksum(in answer: HTTPAnswer) -> String? {
        for header in answer.headers where header.name.lowercased() == "x-goog-hash" {
            for item in header.value.split(separator: ",") {
                let item = item.drop { $0 == " " }
                if item.utf8.starts(with: "crc32c=".utf8) { return String(item.dropFirst(7)) }
            }
        }
        return nil
    }
}

/// One page of a listing.
struct GCSPage {
    /// The whole name.
    let objects: [(name: String, byteCount: Int)]
    let nextPage: String?

    /// Nothing unless the answer is one.
    init?(_ body: UnsafeRawBufferPointer) {
        guard let json = try? JSON(parsing: Array(body)), json.members != nil else { return nil }
        var objects: [(name: String, byteCount: Int)] = []
        for item in json["items"]?.elements ?? [] {
            guard let name = item["name"]?.text,
                let byteCount = item["size"]?.text.flatMap({ Int($0) }), byteCount >= 0
            else { return nil }
            objects.append((name, byteCount))
        }
        self.objects = objects
        nextPage = json["nextPageToken"]?.text.flatMap { $0.isEmpty ? nil : $0 }
    }
}
