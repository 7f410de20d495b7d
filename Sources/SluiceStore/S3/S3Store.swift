internal import SluiceCore
internal import SluiceRecords
internal import Synchronization

/// Objects in a bucket of AWS or of anything else that speaks S3.
///
/// A put is one request: shards are small and are repeated whole, so nothing is uploaded in parts.
final class S3Store: Store {
    let place: String

    private let location: S3Location
    private let region: String
    private let bucketURL: String
    private let host: String
    private let sender: any HTTPSender
    private let chain: AWSCredentialChain
    /// Whether `If-None-Match` counts here: at AWS it does; elsewhere nobody knows before the first
    /// create.
    private let conditions: Atomic<Conditions>

    /// Names held at a time while a listing is sorted.
    private let nameByteLimit: Int

    private enum Conditions: UInt8, AtomicRepresentable {
        case unknown
        case kept
        case ignored
    }

    init(
        _ location: S3Location, chain: AWSCredentialChain, sender: any HTTPSender,
        nameByteLimit: Int = 4 << 20
    ) throws(Failure) {
        self.nameByteLimit = nameByteLimit
        self.location = location
        conditions = Atomic(location.endpoint == nil ? .kept : .unknown)
        self.chain = chain
        self.sender = sender
        var region = location.region
        if region == nil { region = try chain.region() }
        self.region = region ?? "us-east-1"
        bucketURL = location.bucketURL(region: self.region)
        host = HTTPURL(bucketURL)?.host ?? bucketURL
        place = "s3://\(location.bucket)/\(location.prefix)".withoutLastSlash
    }

    var traffic: StoreTraffic { sender.traffic }

    /// Until an object has been created, conditions are believed to count.
    var facts: StoreFacts {
        StoreFacts(
            hasConditionalPut: conditions.load(ordering: .relaxed) != .ignored, canList: true)
    }

    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        _ = try put(bytes, StoreKey(key), condition: [])
    }

    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        switch conditions.load(ordering: .relaxed) {
        case .unknown: return try createAndLearn(bytes, key)
        case .kept: return try put(bytes, key, condition: S3Store.onlyNew)
        case .ignored: return try createWithoutCondition(bytes, key)
        }
    }

    /// The second time a store that keeps conditions has to refuse; another one writes the same
    /// bytes again.
    private func createAndLearn(
        _ bytes: UnsafeRawBufferPointer, _ key: StoreKey
    ) throws(Failure) -> Bool {
        // Somebody else's object is no place to find out whether a condition counts.
        guard try head(of: key) == nil else { return false }
        var isRefused = try !put(bytes, key, condition: S3Store.onlyNew)
        let isCreated = !isRefused
        if isCreated { isRefused = try !put(bytes, key, condition: S3Store.onlyNew) }
        conditions.store(isRefused ? .kept : .ignored, ordering: .relaxed)
        return isCreated
    }

    private static let onlyNew = [HTTPHeader("If-None-Match", "*")]

    /// Good enough for one writer, and no more is promised.
    private func createWithoutCondition(
        _ bytes: UnsafeRawBufferPointer, _ key: StoreKey
    ) throws(Failure) -> Bool {
        guard try head(of: key) == nil else { return false }
        return try put(bytes, key, condition: [])
    }

    /// False when the condition does not hold.
    private func put(
        _ bytes: UnsafeRawBufferPointer, _ key: StoreKey, condition: [HTTPHeader]
    ) throws(Failure) -> Bool {
        let checksum = S3Store.checksum(bytes)
        var headers = condition + storageHeaders
        headers.append(HTTPHeader("x-amz-checksum-crc32c", checksum))
        headers.append(HTTPHeader("Content-Type", "application/octet-stream"))
        var body = ByteBuffer()
        let exchange = try send("PUT", key, headers, body: bytes, .write, into: &body)
        let answer = exchange.answer
        if !condition.isEmpty, answer.status == 412 { return false }
        guard answer.isSuccess else { throw exchange.failure(body.bytes) }
        if let failure = exchange.failures.disguised(answer, body.bytes) { throw failure }
        // Every S3 store names what it has stored; what stands in between may answer anything.
        guard answer["ETag"] != nil else {
            throw exchange.failures.strange("answers without an ETag")
        }
        if let echo = answer["x-amz-checksum-crc32c"], echo != checksum {
            throw exchange.failures.damaged
        }
        return true
    }

    private var storageHeaders: [HTTPHeader] {
        var headers: [HTTPHeader] = []
        if let encryption = location.encryption {
            headers.append(HTTPHeader("x-amz-server-side-encryption", encryption))
        }
        if let key = location.encryptionKey {
            headers.append(HTTPHeader("x-amz-server-side-encryption-aws-kms-key-id", key))
        }
        if let storageClass = location.storageClass {
            headers.append(HTTPHeader("x-amz-storage-class", storageClass))
        }
        return headers
    }

    func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        let headers = [HTTPHeader("x-amz-checksum-mode", "ENABLED")]
        let exchange: Exchange
        do throws(Failure) {
            exchange = try send("GET", key, headers, .read, byteLimit: byteLimit, into: &buffer)
        } catch {
            buffer.removeAll()
            // The answer broke off because it is too long: only the store knows how long.
            if !error.isTransient, let head = try head(of: key),
                let byteCount = head["Content-Length"].flatMap({ Int($0) }), byteCount > byteLimit
            {
                throw StoreFailure.tooLong("\(place)/\(key.text)", byteCount, byteLimit)
            }
            throw error
        }
        let answer = exchange.answer
        if answer.status == 404, isMissingObject(buffer.bytes) {
            buffer.removeAll()
            return false
        }
        guard answer.isSuccess else {
            let failure = exchange.failure(buffer.bytes)
            buffer.removeAll()
            throw failure
        }
        if let checksum = answer["x-amz-checksum-crc32c"],
            answer["x-amz-checksum-type"] != "COMPOSITE",
            checksum != S3Store.checksum(buffer.bytes)
        {
            throw exchange.failures.damaged
        }
        return true
    }

    func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        let exchange = try send(
            "GET", key, [.range(range)], .read, byteLimit: range.count, into: &buffer)
        if exchange.answer.status == 404, isMissingObject(buffer.bytes) {
            buffer.removeAll()
            return false
        }
        guard exchange.answer.isSuccess else { throw exchange.failure(buffer.bytes) }
        guard exchange.answer.isPart(range), buffer.count == range.count else {
            throw StoreFailure.wholeInsteadOfPart("\(place)/\(key.text)")
        }
        return true
    }

    /// A missing bucket is answered with 404 too.
    private func isMissingObject(_ body: UnsafeRawBufferPointer) -> Bool {
        let code = S3Problem(body).code
        return code == nil || code == "NoSuchKey" || code == "NoSuchVersion"
    }

    /// What the store says about an object; nothing where there is none.
    private func head(of key: StoreKey) throws(Failure) -> HTTPAnswer? {
        var body = ByteBuffer()
        let exchange = try send("HEAD", key, [], .read, into: &body)
        if exchange.answer.status == 404 { return nil }
        guard exchange.answer.isSuccess else { throw exchange.failure(body.bytes) }
        return exchange.answer
    }

    func delete(_ key: String) throws(Failure) {
        let key = try StoreKey(key)
        var body = ByteBuffer()
        let exchange = try send("DELETE", key, [], .delete, into: &body)
        if exchange.answer.status == 404, isMissingObject(body.bytes) { return }
        guard !exchange.answer.isSuccess else { return }
        let failure = exchange.failure(body.bytes)
        // Whatever went wrong, it is gone; rclone fails so for what is a folder to it.
        if failure.isTransient, try head(of: key) == nil { return }
        throw failure
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> String {
        let sum = CRC32C.checksum(bytes)
        return Base64.string((0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) })
    }
}

// MARK: - Listing

extension S3Store {
    func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        _ = try StorePrefix(prefix)
        // AWS promises the order; others, like SeaweedFS, list folder by folder.
        if location.endpoint == nil {
            try walk(prefix, after: nil, visit)
        } else {
            try sorted(prefix, visit)
        }
    }

    /// Visits in byte order whatever the server's order is: in passes that each keep the next keys.
    private func sorted(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        var names = SmallestNames(byteLimit: nameByteLimit)
        var isOrdered = true
        var isFirstPass = true
        var last: String?
        repeat {
            names.beginPass()
            var before: String?
            // Where the server has shown its order to be ours, a pass ends where it is full.
            let start = isOrdered && !isFirstPass ? last : nil
            try walk(prefix, after: start) { object throws(Failure) in
                if let before, !before.utf8.lexicographicallyPrecedes(object.key.utf8) {
                    isOrdered = false
                }
                before = object.key
                names.insert("\(object.key)\0\(object.byteCount)")
                return isFirstPass || !isOrdered || !names.hasMore
            }
            for index in 0..<names.finishPass() {
                let pieces = names.name(index).name.split(separator: "\0")
                guard let key = pieces.first.map(String.init), key != last else { continue }
                last = key
                let byteCount = pieces.last.flatMap { Int($0) } ?? 0
                guard try visit(StoredObject(key: key, byteCount: byteCount)) else { return }
            }
            isFirstPass = false
        } while names.hasMore
    }

    /// Visits in the server's order, page by page.
    private func walk(
        _ prefix: String, after start: String?, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        let whole = location.prefix + prefix
        var continuation: String?
        var body = ByteBuffer()
        repeat {
            var query = [("list-type", "2"), ("prefix", whole)]
            if let start { query.append(("start-after", location.prefix + start)) }
            if let continuation { query.append(("continuation-token", continuation)) }
            let page = try page(query, prefix, into: &body)
            for object in page.objects where object.key.utf8.starts(with: whole.utf8) {
                let key = String(
                    decoding: object.key.utf8.dropFirst(location.prefix.utf8.count), as: UTF8.self)
                // What no put has made is nobody's business here.
                guard (try? StoreKey(key)) != nil else { continue }
                let named = StoredObject(key: key, byteCount: object.byteCount)
                guard try visit(named) else { return }
            }
            continuation = page.continuation
        } while continuation != nil
    }

    private func page(
        _ query: [(String, String)], _ prefix: String, into body: inout ByteBuffer
    ) throws(Failure) -> S3Page {
        let exchange = try send(
            "GET", nil, [], query: query, .list, prefix: prefix, into: &body)
        guard exchange.answer.isSuccess else { throw exchange.failure(body.bytes) }
        if let failure = exchange.failures.disguised(exchange.answer, body.bytes) { throw failure }
        do throws(Failure) {
            return try S3Page(body.bytes)
        } catch {
            throw exchange.failures.strange("answers a listing with something else")
        }
    }
}

// MARK: - Requests

extension S3Store {
    /// What came back, and how to speak about it.
    fileprivate struct Exchange {
        let answer: HTTPAnswer
        let failures: S3Failure

        func failure(_ body: UnsafeRawBufferPointer) -> Failure { failures.make(answer, body) }
    }

    /// The hash of no bytes.
    private static let emptyHash =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    private func send(
        _ method: String, _ key: StoreKey?, _ headers: [HTTPHeader],
        query: [(String, String)] = [], body: UnsafeRawBufferPointer? = nil,
        _ verb: S3Failure.Verb, prefix: String = "", byteLimit: Int = 16 << 20,
        into answer: inout ByteBuffer
    ) throws(Failure) -> Exchange {
        let credentials = try chain.current()
        var request = HTTPRequest(method: method, url: url(key, query))
        request.headers = headers
        request.headers.append(HTTPHeader("x-amz-content-sha256", contentHash(body)))
        if let token = credentials.sessionToken {
            request.headers.append(HTTPHeader("x-amz-security-token", token))
        }
        request.body = body
        request.answerByteLimit = byteLimit
        request.signature = credentials.signature(region: region, service: "s3")
        let failures = S3Failure(
            place: "\(place)/\(key?.text ?? prefix)".withoutLastSlash, bucket: location.bucket,
            host: host, region: region, origin: credentials.origin, verb: verb)
        let head = try sender.send(request, into: &answer)
        if !head.isSuccess, S3Failure.hasEnded(S3Problem(answer.bytes)) {
            chain.reject(credentials)
        }
        return Exchange(answer: head, failures: failures)
    }

    private func url(_ key: StoreKey?, _ query: [(String, String)]) -> String {
        var url = bucketURL + "/"
        if let key { url += HTTPURL.encodedPath(location.prefix + key.text) }
        if !query.isEmpty {
            // The signature covers the query sorted and encoded, and libcurl signs it as it is.
            let items = query.map { "\(PercentText.encoded($0.0))=\(PercentText.encoded($0.1))" }
            url += "?" + items.sorted().joined(separator: "&")
        }
        return url
    }

    /// The signature covers the body by its hash where nothing else protects it on its way. Over
    /// TLS the CRC32C that the store checks is enough, and is itself signed; hashing every shard
    /// once more would cost a third of a core for each gigabyte a second.
    private func contentHash(_ body: UnsafeRawBufferPointer?) -> String {
        guard let body, !body.isEmpty else { return S3Store.emptyHash }
        return bucketURL.utf8.starts(with: "https:".utf8)
            ? "UNSIGNED-PAYLOAD" : SHA256.text(of: body)
    }
}

extension String {
    fileprivate var withoutLastSlash: String {
        utf8.last == UInt8(ascii: "/") ? String(dropLast()) : self
    }
}
