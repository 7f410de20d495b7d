internal import CCurl
internal import SluiceCore
internal import Synchronization

/// Sends requests by libcurl. Each lane in a request has a connection of its own, which the next
/// request to the same server uses again.
final class HTTPClient: HTTPSender {
    /// Zero when libcurl can be used; asked once for the whole process.
    private static let startCode = sluice_curl_global_init()

    private let options: HTTPOptions
    private let idle = Mutex<[HTTPHandle]>([])
    private let requests = Atomic<Int>(0)
    private let connections = Atomic<Int>(0)
    private let clockLead = Mutex<Int?>(nil)

    init(options: HTTPOptions = HTTPOptions()) {
        self.options = options
    }

    var traffic: StoreTraffic {
        StoreTraffic(
            requests: requests.load(ordering: .relaxed), clockLead: clockLead.withLock { $0 })
    }

    /// How many connections were made so far.
    var connectionCount: Int { connections.load(ordering: .relaxed) }

    func send(
        _ request: HTTPRequest, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        let handle = try take()
        defer { idle.withLock { $0.append(handle) } }
        requests.add(1, ordering: .relaxed)
        let head = try HTTPTransfer(handle, options).run(request, into: &answer)
        connections.add(handle.newConnections, ordering: .relaxed)
        if let date = head.date { clockLead.withLock { $0 = Clock.wallSeconds - date } }
        return head
    }

    /// The handle that was used last, whose connection is the least likely to have been closed.
    private func take() throws(Failure) -> HTTPHandle {
        if let handle = idle.withLock({ $0.popLast() }) { return handle }
        guard HTTPClient.startCode == CURLE_OK, let handle = HTTPHandle() else {
            throw Failure(.failed, "libcurl cannot be started")
        }
        return handle
    }
}

/// One libcurl handle with the connections it keeps.
final class HTTPHandle: @unchecked Sendable {
    // Unchecked because the pool lends it to one lane at a time.
    let pointer: UnsafeMutableRawPointer
    /// What libcurl says beyond its code.
    let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    init?() {
        guard let pointer = curl_easy_init() else {
            words.deallocate()
            return nil
        }
        self.pointer = pointer
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(pointer)
        words.deallocate()
    }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        sluice_curl_get_long(pointer, info, &value)
        return value
    }

    func size(_ info: CURLINFO) -> Int {
        var value: curl_off_t = 0
        sluice_curl_get_size(pointer, info, &value)
        return Int(value)
    }

    /// Connections that the last transfer made.
    var newConnections: Int { long(CURLINFO_NUM_CONNECTS) }
}
