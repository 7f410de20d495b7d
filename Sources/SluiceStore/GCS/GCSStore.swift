public import SluiceCore
internal import Synchronization

/// Google Cloud Storage, by its JSON API.
public final class GCSStore: Store {
    /// Whether the endpoint keeps `ifGenerationMatch`; some emulators do not.
    enum Conditions {
        case unknown
        case kept
        case ignored
    }

    static let pageLength = 1000

    public let place: String

    let location: GCSLocation
    private let sender: any HTTPSender
    /// None where requests go without.
    private let credentials: GoogleCredentials?
    /// Held while it is found out, and during each create where the store ignores conditions.
    let conditions: Mutex<Conditions>

    init(location: GCSLocation, sender: any HTTPSender, credentials: GoogleCredentials?) {
        self.location = location
        self.sender = sender
        self.credentials = location.isAnonymous ? nil : credentials
        conditions = Mutex(location.isGoogle ? .kept : .unknown)
        place =
            "gs://\(location.bucket)" + (location.prefix.isEmpty ? "" : "/")
            + location.prefix.dropLast()
    }

    /// An emulator is only known to ignore conditions after the first create.
    public var facts: StoreFacts {
        StoreFacts(
            hasConditionalPut: conditions.withLock { $0 != .ignored }, canList: true)
    }

    public var traffic: StoreTraffic { sender.traffic }

    public func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        let key = try StoreKey(key)
        _ = try upload(bytes, at: key.text, onlyIfFree: false)
    }

    public func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        buffer.removeAll()
        // An error's text may be longer than the object.
        let request = HTTPRequest(
            method: "GET", url: url(of: key.text, "alt=media"),
            answerByteLimit: max(byteLimit, 64 << 10))
        let answer: HTTPAnswer
        let failures: GCSFailure
        do throws(Failure) {
            (answer, failures) = try exchange(request, .read, name(key.text), into: &buffer)
        } catch {
            buffer.removeAll()
            if !error.isTransient, let object = try find(key.text), object.byteCount > byteLimit {
                throw StoreFailure.tooLong(name(key.text), object.byteCount, byteLimit)
            }
            throw error
        }
        guard answer.isSuccess else {
            let failure = failures.make(answer, buffer.bytes)
            let isNothing = answer.status == 404 && !GCSError(buffer.bytes).isAboutBucket
            buffer.removeAll()
            guard isNothing else { throw failure }
            return false
        }
        guard buffer.count <= byteLimit else {
            throw StoreFailure.tooLong(name(key.text), buffer.count, byteLimit)
        }
        if let checksum = GCSObject.checksum(in: answer),
            checksum != GCSObject.checksum(buffer.bytes)
        {
            throw failures.changedOnTheWay()
        }
        return true
    }

    public func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        // An error's text may be longer than the part.
        var request = HTTPRequest(
            method: "GET", url: url(of: key.text, "alt=media"),
            answerByteLimit: max(range.count, 64 << 10))
        request.headers.append(.range(range))
        let (answer, failures) = try exchange(request, .read, name(key.text), into: &buffer)
        if answer.status == 404, !GCSError(buffer.bytes).isAboutBucket {
            buffer.removeAll()
            return false
        }
        guard answer.isSuccess else { throw failures.make(answer, buffer.bytes) }
        guard answer.isPart(range), buffer.count == range.count else {
            throw StoreFailure.wholeInsteadOfPart(name(key.text))
        }
        return true
    }

    public func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        _ = try StorePrefix(prefix)
        let fields = PercentText.encoded("items(name,size),nextPageToken")
        let query =
            "maxResults=\(GCSStore.pageLength)&fields=\(fields)&prettyPrint=false"
            + "&prefix=\(PercentText.encoded(location.prefix + prefix))"
        var last = ""
        var pageToken: String?
        var buffer = ByteBuffer()
        repeat {
            let token = pageToken.map { "&pageToken=\(PercentText.encoded($0))" } ?? ""
            let request = HTTPRequest(method: "GET", url: url(query + token))
            let (answer, failures) = try exchange(
                request, .list, prefix.isEmpty ? place : name(prefix), into: &buffer)
            guard answer.isSuccess else { throw failures.make(answer, buffer.bytes) }
            guard let page = GCSPage(buffer.bytes) else {
                throw failures.unconfirmed("is not a page of a listing")
            }
            for object in page.objects {
                guard object.name.utf8.starts(with: location.prefix.utf8),
                    last.utf8.lexicographicallyPrecedes(object.name.utf8)
                else { throw failures.unconfirmed("is not in order") }
                last = object.name
                let key = String(object.name.dropFirst(location.prefix.count))
                // What others left here, such as the placeholder of a folder, is no object of ours.
                guard (try? StoreKey(key)) != nil else { continue }
                guard try visit(StoredObject(key: key, byteCount: object.byteCount)) else { return }
            }
            guard page.nextPage == nil || page.nextPage != pageToken else {
                throw failures.unconfirmed("has the same page after itself")
            }
            pageToken = page.nextPage
        } while pageToken != nil
    }

    public func delete(_ key: String) throws(Failure) {
        let key = try StoreKey(key)
        try remove(key.text, "")
    }

    /// - Parameter query: may name one generation.
    func remove(_ key: String, _ query: String) throws(Failure) {
        var buffer = ByteBuffer()
        let request = HTTPRequest(method: "DELETE", url: url(of: key, query))
        let (answer, failures) = try exchange(request, .delete, name(key), into: &buffer)
        let isGone = answer.status == 404 && !GCSError(buffer.bytes).isAboutBucket
        guard answer.isSuccess || isGone else { throw failures.make(answer, buffer.bytes) }
    }

    /// What is stored under the key; nothing where there is nothing.
    func find(_ key: String) throws(Failure) -> GCSObject? {
        var buffer = ByteBuffer()
        let request = HTTPRequest(
            method: "GET",
            url: url(of: key, "fields=\(PercentText.encoded(GCSObject.fields))&prettyPrint=false"))
        let (answer, failures) = try exchange(request, .read, name(key), into: &buffer)
        if answer.status == 404, !GCSError(buffer.bytes).isAboutBucket { return nil }
        guard answer.isSuccess else { throw failures.make(answer, buffer.bytes) }
        guard let object = GCSObject(buffer.bytes) else {
            throw failures.unconfirmed("does not describe an object")
        }
        return object
    }

    /// How messages name an object.
    func name(_ key: String) -> String { "\(place)/\(key)" }
}

// MARK: Requests

extension GCSStore {
    /// Sends the request with an access token; once more with another one when it is refused.
    func exchange(
        _ request: HTTPRequest, _ verb: GCSFailure.Verb, _ place: String,
        into buffer: inout ByteBuffer
    ) throws(Failure) -> (HTTPAnswer, GCSFailure) {
        var token = try credentials?.current()
        var answer = try send(request, token, verb, place, into: &buffer)
        if answer.status == 401, let refused = token, let credentials {
            credentials.reject(refused)
            let next = try credentials.current()
            if next != refused {
                token = next
                answer = try send(request, next, verb, place, into: &buffer)
            }
        }
        return (
            answer,
            GCSFailure(verb: verb, place: place, location: location, origin: token?.origin)
        )
    }

    private func send(
        _ request: HTTPRequest, _ token: GoogleToken?, _ verb: GCSFailure.Verb, _ place: String,
        into buffer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        buffer.removeAll()
        var request = request
        if let token { request.headers.append(token.header) }
        do throws(Failure) {
            return try sender.send(request, into: &buffer)
        } catch {
            throw error.during("\(verb.doing) \(place)")
        }
    }

    /// Of all objects of the bucket.
    func url(_ query: String) -> String {
        "\(location.endpoint)/storage/v1/b/\(location.bucket)/o?\(query)"
    }

    /// Of one object.
    func url(of key: String, _ query: String) -> String {
        let object = PercentText.encoded(location.prefix + key)
        return "\(location.endpoint)/storage/v1/b/\(location.bucket)/o/\(object)"
            + (query.isEmpty ? "" : "?\(query)")
    }
}
