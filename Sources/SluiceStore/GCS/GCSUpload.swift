public import SluiceCore
internal import SluiceRecords
internal import Synchronization

extension GCSStore {
    /// Up to here an object travels together with a description of it, which every server checks
    /// before it stores the object. A larger one is sent from where it lies, with a header.
    static var describedByteLimit: Int { 64 << 10 }

    public func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        let key = try StoreKey(key).text
        if conditions.withLock({ $0 == .kept }) { return try createByCondition(bytes, at: key) }
        return try conditions.withLock { conditions throws(Failure) -> Bool in
            // Somebody else found it out meanwhile.
            if conditions == .kept { return try createByCondition(bytes, at: key) }
            guard try find(key) == nil else { return false }
            guard try createByCondition(bytes, at: key) else {
                conditions = .kept
                return false
            }
            if conditions == .unknown {
                // What has just been stored must be refused now; if not, it is stored again as it
                // is.
                let isStored = try upload(bytes, at: key, onlyIfFree: true)
                conditions = isStored ? .ignored : .kept
            }
            return true
        }
    }

    private func createByCondition(
        _ bytes: UnsafeRawBufferPointer, at key: String
    ) throws(Failure) -> Bool {
        do throws(Failure) {
            return try upload(bytes, at: key, onlyIfFree: true)
        } catch {
            // It may have been stored all the same. If that is not to be known, the first failure
            // says more.
            guard error.isTransient, let found = try? find(key) else { throw error }
            return found.byteCount == bytes.count && found.crc32c == GCSObject.checksum(bytes)
        }
    }

    /// Stores the object in one request; false when the key was taken.
    func upload(
        _ bytes: UnsafeRawBufferPointer, at key: String, onlyIfFree: Bool
    ) throws(Failure) -> Bool {
        let checksum = GCSObject.checksum(bytes)
        let condition = onlyIfFree ? "&ifGenerationMatch=0" : ""
        let query = "fields=\(PercentText.encoded(GCSObject.fields))&prettyPrint=false\(condition)"
        let url = "\(location.endpoint)/upload/storage/v1/b/\(location.bucket)/o?\(query)"
        let name = location.prefix + key
        if bytes.count <= GCSStore.describedByteLimit {
            let boundary = "sluice-\(SHA256.text(of: bytes).prefix(40))"
            let body = described(bytes, name, checksum, boundary)
            let request = HTTPRequest(
                method: "POST", url: "\(url)&uploadType=multipart",
                headers: [HTTPHeader("Content-Type", "multipart/related; boundary=\(boundary)")],
                body: body.bytes)
            return try store(request, key, bytes.count, checksum)
        }
        let request = HTTPRequest(
            method: "POST", url: "\(url)&uploadType=media&name=\(PercentText.encoded(name))",
            headers: [
                HTTPHeader("Content-Type", "application/octet-stream"),
                HTTPHeader("x-goog-hash", "crc32c=\(checksum)"),
            ], body: bytes)
        return try store(request, key, bytes.count, checksum)
    }

    private func described(
        _ bytes: UnsafeRawBufferPointer, _ name: String, _ checksum: String, _ boundary: String
    ) -> ByteBuffer {
        let description: JSON = ["name": .string(name), "crc32c": .string(checksum)]
        var body = ByteBuffer(capacity: bytes.count + 1024)
        body.append("--\(boundary)\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n")
        body.append(description.compact)
        body.append("\r\n--\(boundary)\r\nContent-Type: application/octet-stream\r\n\r\n")
        body.append(bytes)
        body.append("\r\n--\(boundary)--\r\n")
        return body
    }

    private func store(
        _ request: HTTPRequest, _ key: String, _ byteCount: Int, _ checksum: String
    ) throws(Failure) -> Bool {
        var buffer = ByteBuffer()
        let (answer, failures) = try exchange(request, .write, name(key), into: &buffer)
        if answer.status == 412 { return false }
        guard answer.isSuccess else { throw failures.make(answer, buffer.bytes) }
        guard let stored = GCSObject(buffer.bytes) else {
            throw failures.unconfirmed("does not describe an object")
        }
        guard stored.byteCount == byteCount, stored.crc32c == checksum else {
            // Nobody may take it for what it should be.
            try remove(key, "generation=\(stored.generation)")
            throw failures.changedOnTheWay()
        }
        return true
    }
}
