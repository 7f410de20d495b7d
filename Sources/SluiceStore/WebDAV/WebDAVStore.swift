internal import SluiceCore
internal import Synchronization

/// Objects on a server that takes PUT and GET, with the parts of WebDAV that it has.
final class WebDAVStore: Store {
    var place: String { location.base }

    private let location: WebDAVLocation
    private let sender: any HTTPSender
    private let host: String
    /// How `create` finds a free key; nobody knows before the first one.
    private let creation = Atomic<Creation>(.unknown)
    private let listing = Atomic<Ability>(.unknown)
    /// Names held at a time while a folder is sorted.
    let nameByteLimit: Int

    private enum Creation: UInt8, AtomicRepresentable {
        case unknown
        /// A unique name, then MOVE with `Overwrite: F`.
        case byMove
        /// PUT with `If-None-Match: *`.
        case byCondition
        case byLooking
    }

    private enum Ability: UInt8, AtomicRepresentable {
        case unknown
        case present
        case missing
    }

    init(
        _ location: WebDAVLocation, sender: any HTTPSender, nameByteLimit: Int = 4 << 20
    ) {
        self.location = location
        self.sender = sender
        self.nameByteLimit = nameByteLimit
        host = HTTPURL(location.base)?.host ?? location.base
    }

    var traffic: StoreTraffic { sender.traffic }

    /// Until an object has been created, the server is believed to decide. A MOVE decides nothing
    /// between two that come at once: nginx looks, and renames a moment later.
    var facts: StoreFacts {
        let creation = creation.load(ordering: .relaxed)
        return StoreFacts(
            hasConditionalPut: creation == .unknown || creation == .byCondition, canList: canList)
    }

    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        let key = try StoreKey(key)
        let answer = try put(bytes, key.folders, key.text, [])
        guard answer.isSuccess else { throw failure(key.text, .write).make(answer) }
    }

    /// Makes the folders above where the server wants them first.
    private func put(
        _ bytes: UnsafeRawBufferPointer, _ folders: [String], _ name: String,
        _ headers: [HTTPHeader]
    ) throws(Failure) -> HTTPAnswer {
        let headers = headers + [HTTPHeader("Content-Type", "application/octet-stream")]
        let answer = try putOnce(bytes, name, headers)
        // 409 by the standard; some say that the folder is not found.
        guard [403, 404, 409].contains(answer.status), try makeFolders(folders) else {
            return answer
        }
        return try putOnce(bytes, name, headers)
    }

    /// What stores says 201 or 204. A 200 that has more to say may be the page of something in
    /// between, so it counts when the object is there.
    private func putOnce(
        _ bytes: UnsafeRawBufferPointer, _ name: String, _ headers: [HTTPHeader]
    ) throws(Failure) -> HTTPAnswer {
        var body = ByteBuffer()
        let answer = try send("PUT", name, headers, body: bytes, limit: 1 << 20, into: &body)
        guard answer.status == 200, !body.isEmpty else { return answer }
        let found = try send("HEAD", name, [])
        guard found.isSuccess, found["Content-Length"] == String(bytes.count) else {
            throw failure(name, .write).strange("says that it stored what is not there")
        }
        return answer
    }

    /// False where the server makes none.
    private func makeFolders(_ folders: [String]) throws(Failure) -> Bool {
        var path = ""
        var below: [String] = []
        for folder in folders {
            path += folder + "/"
            below.append(location.url(path))
        }
        // What lies above the store is perhaps not ours to make, and perhaps not even to see.
        if !(try makeFolder(location.url(""))) {
            for url in location.waysToBase { _ = try makeFolder(url) }
        }
        for url in below where !(try makeFolder(url)) { return false }
        return true
    }

    /// Whether the folder is there now.
    private func makeFolder(_ url: String) throws(Failure) -> Bool {
        var body = ByteBuffer()
        let answer = try send(HTTPRequest(method: "MKCOL", url: url), into: &body)
        // 405: it is there.
        if answer.isSuccess || [301, 405].contains(answer.status) { return true }
        // The query may be a signature.
        let failure = failure(at: String(url.prefix { $0 != "?" }), .write).make(answer)
        // Another lane may be making it.
        if failure.isTransient { throw failure }
        return false
    }

    func delete(_ key: String) throws(Failure) {
        let key = try StoreKey(key)
        // DELETE of a folder takes all that is in it.
        if try isFolder(key.text) { return }
        let answer = try send("DELETE", key.text, [])
        guard answer.isSuccess || answer.status == 404 || answer.status == 410 else {
            throw failure(key.text, .delete).make(answer)
        }
    }

    func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        let answer: HTTPAnswer
        do throws(Failure) {
            answer = try send("GET", key.text, [], limit: byteLimit, into: &buffer)
        } catch {
            buffer.removeAll()
            // The answer broke off because it is too long: only the store knows how long.
            if !error.isTransient, let byteCount = try byteCount(of: key), byteCount > byteLimit {
                throw StoreFailure.tooLong("\(place)/\(key.text)", byteCount, byteLimit)
            }
            throw error
        }
        if answer.isSuccess { return true }
        buffer.removeAll()
        if [404, 410].contains(answer.status) { return false }
        // A folder: servers send to its name with a slash, or refuse to read it.
        if [301, 302, 403, 405].contains(answer.status), try isFolder(key.text) { return false }
        throw failure(key.text, .read).make(answer)
    }

    func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        let answer = try send("GET", key.text, [.range(range)], limit: range.count, into: &buffer)
        if [404, 410].contains(answer.status) {
            buffer.removeAll()
            return false
        }
        guard answer.isSuccess else { throw failure(key.text, .read).make(answer) }
        guard answer.isPart(range), buffer.count == range.count else {
            throw StoreFailure.wholeInsteadOfPart("\(place)/\(key.text)")
        }
        return true
    }

    /// The size of an object; nothing where there is none.
    private func byteCount(of key: StoreKey) throws(Failure) -> Int? {
        let answer = try send("HEAD", key.text, [])
        if [404, 410].contains(answer.status) { return nil }
        guard answer.isSuccess else { throw failure(key.text, .read).make(answer) }
        return answer["Content-Length"].flatMap { Int($0) }
    }

    private func isObject(_ key: StoreKey) throws(Failure) -> Bool {
        let answer = try send("HEAD", key.text, [])
        if [404, 410].contains(answer.status) { return false }
        guard answer.isSuccess else { throw failure(key.text, .read).make(answer) }
        return true
    }
}

// MARK: - Creating

extension WebDAVStore {
    private static let onlyNew = [HTTPHeader("If-None-Match", "*")]

    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        switch creation.load(ordering: .relaxed) {
        case .unknown: return try createAndLearn(bytes, key)
        case .byMove:
            guard let isCreated = try createByMove(bytes, key) else {
                throw failure(key.text, .write).strange("moves objects no longer")
            }
            return isCreated
        case .byCondition: return try createByCondition(bytes, key)
        case .byLooking: return try createByLooking(bytes, key)
        }
    }

    /// Each way is taken twice: the second time it has to be refused.
    private func createAndLearn(
        _ bytes: UnsafeRawBufferPointer, _ key: StoreKey
    ) throws(Failure) -> Bool {
        // Somebody else's object is no place to find out whether a condition counts.
        if try isObject(key) { return false }
        if let isCreated = try createByMove(bytes, key) {
            var isRefused = !isCreated
            if isCreated { isRefused = try createByMove(bytes, key) == false }
            creation.store(isRefused ? .byMove : .byLooking, ordering: .relaxed)
            return isCreated
        }
        var isRefused = try !createByCondition(bytes, key)
        let isCreated = !isRefused
        if isCreated { isRefused = try !createByCondition(bytes, key) }
        creation.store(isRefused ? .byCondition : .byLooking, ordering: .relaxed)
        return isCreated
    }

    /// Nothing where the server does not move.
    private func createByMove(
        _ bytes: UnsafeRawBufferPointer, _ key: StoreKey
    ) throws(Failure) -> Bool? {
        let random = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let draft = (key.folders + [FolderDraft.hiddenStart + random]).joined(separator: "/")
        let stored = try put(bytes, key.folders, draft, [])
        guard stored.isSuccess else { throw failure(key.text, .write).make(stored) }
        let answer = try send(
            "MOVE", draft,
            [HTTPHeader("Destination", location.url(key.text)), HTTPHeader("Overwrite", "F")])
        if answer.isSuccess {
            // Here too a 200 may be anybody's; then the draft is where it was.
            guard answer.status == 200, try send("HEAD", draft, []).isSuccess else { return true }
            throw failure(key.text, .write).strange("says that it moved what is still there")
        }
        // It is in nobody's way where it cannot be removed.
        _ = try? send("DELETE", draft, [])
        if answer.status == 412 { return false }
        if [400, 403, 405, 501].contains(answer.status) { return nil }
        throw failure(key.text, .write).make(answer)
    }

    private func createByCondition(
        _ bytes: UnsafeRawBufferPointer, _ key: StoreKey
    ) throws(Failure) -> Bool {
        let answer = try put(bytes, key.folders, key.text, WebDAVStore.onlyNew)
        if answer.status == 412 { return false }
        guard answer.isSuccess else { throw failure(key.text, .write).make(answer) }
        return true
    }

    /// Good enough for one writer, and no more is promised.
    private func createByLooking(
        _ bytes: UnsafeRawBufferPointer, _ key: StoreKey
    ) throws(Failure) -> Bool {
        if try isObject(key) { return false }
        try put(bytes, at: key.text)
        return true
    }
}

// MARK: - Requests

extension WebDAVStore {
    func failure(_ name: String, _ verb: WebDAVFailure.Verb) -> WebDAVFailure {
        failure(at: name.isEmpty ? place : "\(place)/\(name)", verb)
    }

    private func failure(at url: String, _ verb: WebDAVFailure.Verb) -> WebDAVFailure {
        WebDAVFailure(
            place: url, host: host, verb: verb, hasAuthorization: location.authorization != nil)
    }

    private func send(
        _ method: String, _ name: String, _ headers: [HTTPHeader],
        body: UnsafeRawBufferPointer? = nil
    ) throws(Failure) -> HTTPAnswer {
        var answer = ByteBuffer()
        return try send(method, name, headers, body: body, limit: 1 << 20, into: &answer)
    }

    func send(
        _ method: String, _ name: String, _ headers: [HTTPHeader],
        body: UnsafeRawBufferPointer? = nil, limit: Int, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        var request = HTTPRequest(method: method, url: location.url(name))
        request.headers = headers
        request.body = body
        request.answerByteLimit = limit
        return try send(request, into: &answer)
    }

    private func send(
        _ request: HTTPRequest, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        var request = request
        if let authorization = location.authorization {
            request.headers.append(HTTPHeader("Authorization", authorization))
        }
        return try sender.send(request, into: &answer)
    }

    /// Whether PROPFIND is answered; asked once.
    private var canList: Bool {
        if listing.load(ordering: .relaxed) == .unknown { _ = try? isFolder("") }
        return listing.load(ordering: .relaxed) != .missing
    }

    /// Whether the name is a folder's, as far as the server tells.
    private func isFolder(_ name: String) throws(Failure) -> Bool {
        guard listing.load(ordering: .relaxed) != .missing else { return false }
        var folder: WebDAVFolder?
        var body = ByteBuffer()
        folder = try properties(name, depth: 0, into: &body)
        return folder?.entries.contains { $0.isItself && $0.isFolder } ?? false
    }

    /// Nothing where there is no such name. A server without listings is a failure.
    func properties(
        _ name: String, depth: Int, into body: inout ByteBuffer
    ) throws(Failure) -> WebDAVFolder? {
        let answer = try ask(name, depth, into: &body)
        if answer.status == 404 || answer.status == 410 {
            return nil
        }
        if [400, 405, 501].contains(answer.status) || answer.status == 403 && depth == 0 {
            listing.store(.missing, ordering: .relaxed)
            if depth == 0 { return nil }
        }
        guard answer.status == 207 else { throw failure(name, .list).make(answer) }
        listing.store(.present, ordering: .relaxed)
        do throws(Failure) {
            return try WebDAVFolder(body.bytes, url: location.url(name))
        } catch {
            throw failure(name, .list).strange("answers a listing with something else")
        }
    }

    private func ask(
        _ name: String, _ depth: Int, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        var question = ByteBuffer()
        question.append(WebDAVFolder.question)
        return try send(
            "PROPFIND", name,
            [
                HTTPHeader("Depth", String(depth)),
                HTTPHeader("Content-Type", "application/xml; charset=utf-8"),
            ], body: question.bytes, limit: 64 << 20, into: &answer)
    }
}
