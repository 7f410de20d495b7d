internal import SluiceCore

/// One page of a listing (ListObjectsV2), read out of its answer.
struct S3Page {
    private(set) var objects: [StoredObject] = []
    /// Asks for the next page; nothing on the last one.
    private(set) var continuation: String?

    /// - Parameter body: a page of at most a thousand keys.
    init(_ body: UnsafeRawBufferPointer) throws(Failure) {
        var reader = XMLReader(body)
        guard try reader.next() == .start("ListBucketResult") else { throw XMLReader.malformed }
        var isTruncated = false
        while let event = try reader.next() {
            guard case .start(let name) = event else { continue }
            switch name {
            case "IsTruncated": isTruncated = try reader.elementText() == "true"
            case "NextContinuationToken": continuation = try reader.elementText()
            case "Contents": objects.append(try S3Page.object(&reader))
            default: try reader.skipElement()
            }
        }
        if !isTruncated { continuation = nil }
        if isTruncated, continuation?.isEmpty ?? true { throw XMLReader.malformed }
    }

    private static func object(_ reader: inout XMLReader) throws(Failure) -> StoredObject {
        var key: String?
        var byteCount: Int?
        while let event = try reader.next() {
            switch event {
            case .start("Key"): key = try reader.elementText()
            case .start("Size"): byteCount = Int(try reader.elementText())
            case .start: try reader.skipElement()
            case .text: break
            case .end:
                guard let key, let byteCount, byteCount >= 0 else { throw XMLReader.malformed }
                return StoredObject(key: key, byteCount: byteCount)
            }
        }
        throw XMLReader.malformed
    }
}
