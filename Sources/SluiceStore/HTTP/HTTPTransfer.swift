internal import CCurl
internal import SluiceCore

/// One request on its way: sets a handle up, and takes what comes back.
struct HTTPTransfer {
    private let handle: HTTPHandle
    private let options: HTTPOptions

    init(_ handle: HTTPHandle, _ options: HTTPOptions) {
        self.handle = handle
        self.options = options
    }

    func run(
        _ request: HTTPRequest, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        answer.removeAll()
        // Connections, names and TLS sessions outlive this; every option starts afresh.
        curl_easy_reset(handle.pointer)
        handle.words.pointee = 0
        // What begins "Expect" waits for the server's word before the body; it is not worth a
        // round trip.
        set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1)
        setLimits()
        setTrust()
        setMethod(request)
        if let signature = request.signature { sign(signature) }
        sluice_curl_set_text(handle.pointer, CURLOPT_URL, request.url)
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(headers) }
        for header in request.headers {
            headers = curl_slist_append(headers, "\(header.name): \(header.value)") ?? headers
        }
        sluice_curl_set_pointer(handle.pointer, CURLOPT_HTTPHEADER, headers)
        return try receive(request, into: &answer)
    }

    private func receive(
        _ request: HTTPRequest, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        let receipt = HTTPReceipt(request)
        let code = withUnsafeMutablePointer(to: &answer) { buffer in
            receipt.buffer = buffer
            defer { receipt.buffer = nil }
            let context = Unmanaged.passUnretained(receipt).toOpaque()
            sluice_curl_set_pointer(handle.pointer, CURLOPT_HEADERDATA, context)
            sluice_curl_set_receiver(handle.pointer, CURLOPT_HEADERFUNCTION) {
                HTTPReceipt.from($3).takeHeader(UnsafeRawBufferPointer(start: $0, count: $1 * $2))
            }
            sluice_curl_set_pointer(handle.pointer, CURLOPT_WRITEDATA, context)
            sluice_curl_set_receiver(handle.pointer, CURLOPT_WRITEFUNCTION) {
                HTTPReceipt.from($3).takeBody(UnsafeRawBufferPointer(start: $0, count: $1 * $2))
            }
            return curl_easy_perform(handle.pointer)
        }
        let failure = HTTPFailure(handle, options, url: request.url)
        if let byteCount = receipt.tooLong {
            throw failure.tooLong(byteCount, limit: request.answerByteLimit)
        }
        if code != CURLE_OK, !receipt.hasEnough { throw failure.make(code) }
        return HTTPAnswer(status: receipt.status, headers: receipt.headers)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        sluice_curl_set_long(handle.pointer, option, value)
    }

    private func set(_ option: CURLoption, _ value: String?) {
        if let value { sluice_curl_set_text(handle.pointer, option, value) }
    }

    private func setLimits() {
        // No signals: lanes are threads.
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, options.connectLimit.inMilliseconds)
        set(CURLOPT_LOW_SPEED_LIMIT, 1)
        set(CURLOPT_LOW_SPEED_TIME, max(1, options.stallLimit.inMilliseconds / 1000))
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_BUFFERSIZE, 256 << 10)
        set(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_USERAGENT, "sluice")
        sluice_curl_set_pointer(handle.pointer, CURLOPT_ERRORBUFFER, handle.words)
        if !options.usesProxy { set(CURLOPT_NOPROXY, "*") }
    }

    private func setTrust() {
        set(CURLOPT_CAINFO, options.caBundle)
        set(CURLOPT_SSLCERT, options.clientCertificate)
        set(CURLOPT_SSLKEY, options.clientKey)
    }

    private func setMethod(_ request: HTTPRequest) {
        if let body = request.body {
            set(CURLOPT_POST, 1)
            sluice_curl_set_body(handle.pointer, body.baseAddress, curl_off_t(body.count))
            set(CURLOPT_CUSTOMREQUEST, request.method)
        } else if request.method == "HEAD" {
            set(CURLOPT_NOBODY, 1)
        } else {
            set(CURLOPT_HTTPGET, 1)
            if request.method != "GET" { set(CURLOPT_CUSTOMREQUEST, request.method) }
        }
    }

    private func sign(_ signature: HTTPSignature) {
        set(CURLOPT_AWS_SIGV4, "aws:amz:\(signature.region):\(signature.service)")
        set(CURLOPT_USERNAME, signature.keyID)
        set(CURLOPT_PASSWORD, signature.secret)
    }
}

/// What libcurl's callbacks fill while an answer arrives.
private final class HTTPReceipt {
    /// What servers say about a failure is read so far.
    private static let failureByteLimit = 64 << 10
    private static let headerByteLimit = 256 << 10

    /// Lent for the time of the transfer.
    var buffer: UnsafeMutablePointer<ByteBuffer>?
    private(set) var status = 0
    private(set) var headers: [HTTPHeader] = []
    /// The bytes of an answer above the limit, as far as known.
    private(set) var tooLong: Int?
    /// Of a long story about a failure the rest is not needed.
    private(set) var hasEnough = false
    private let byteLimit: Int
    private let hasBody: Bool
    private var headerByteCount = 0

    init(_ request: HTTPRequest) {
        byteLimit = request.answerByteLimit
        hasBody = request.method != "HEAD"
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> HTTPReceipt {
        guard let context else { preconditionFailure("libcurl calls back without its context") }
        return Unmanaged.fromOpaque(context).takeUnretainedValue()
    }

    private var isSuccess: Bool { (200..<300).contains(status) }

    /// How many bytes were taken; anything else than all ends the transfer.
    func takeHeader(_ line: UnsafeRawBufferPointer) -> Int {
        headerByteCount += line.count
        guard headerByteCount <= HTTPReceipt.headerByteLimit else { return 0 }
        var text = Substring(decoding: line, as: UTF8.self)
        while let last = text.utf8.last, last == 10 || last == 13 || last == 32 {
            text = Substring(text.utf8.dropLast())
        }
        if text.utf8.starts(with: "HTTP/".utf8) {
            // Another one may have gone before: 100, or a proxy's.
            headers = []
            let words = text.utf8.split(separator: 32, maxSplits: 2)
            status = words.count > 1 ? Int(Substring(words[1])) ?? 0 : 0
        } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let value = text.utf8[text.utf8.index(after: colon)...].drop { $0 == 32 || $0 == 9 }
            headers.append(HTTPHeader(String(text[..<colon]), String(Substring(value))))
        } else if text.isEmpty, hasBody, isSuccess, let byteCount = contentLength,
            byteCount > byteLimit
        {
            tooLong = byteCount
            return 0
        }
        return line.count
    }

    private var contentLength: Int? {
        HTTPAnswer(status: status, headers: headers)["Content-Length"].flatMap { Int($0) }
    }

    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let buffer else { return 0 }
        let room = (isSuccess ? byteLimit : HTTPReceipt.failureByteLimit) - buffer.pointee.count
        guard bytes.count <= room else {
            if isSuccess { tooLong = buffer.pointee.count + bytes.count } else { hasEnough = true }
            return 0
        }
        if buffer.pointee.isEmpty, isSuccess, let byteCount = contentLength {
            buffer.pointee.reserve(byteCount)
        }
        buffer.pointee.append(bytes)
        return bytes.count
    }
}

extension Duration {
    fileprivate var inMilliseconds: Int {
        let parts = components
        return Int(parts.seconds) * 1000 + Int(parts.attoseconds / 1_000_000_000_000_000)
    }
}
