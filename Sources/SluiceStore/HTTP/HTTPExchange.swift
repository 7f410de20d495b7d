internal import SluiceCore

/// One request, as a store's own code writes it.
struct HTTPRequest {
    var method: String
    /// Whole and percent-encoded.
    var url: String
    /// In the order they are sent; a name may stand more than once.
    var headers: [HTTPHeader] = []
    /// Lent for the time of the exchange; nothing is copied.
    var body: UnsafeRawBufferPointer?
    /// A longer answer is a failure, found by its header or while it arrives.
    var answerByteLimit = 64 << 20
    /// Signs the request on its way; nothing: it goes as it is.
    var signature: HTTPSignature?
}

struct HTTPHeader: Hashable, Sendable {
    var name: String
    var value: String

    /// Asks for a part of an object.
    static func range(_ range: Range<Int>) -> HTTPHeader {
        HTTPHeader("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
    }

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// AWS Signature V4, which libcurl makes.
struct HTTPSignature: Hashable, Sendable {
    var region: String
    var service: String
    var keyID: String
    var secret: String
    var sessionToken: String?
}

/// What came back, whatever its status; a body is in the buffer that was given.
struct HTTPAnswer: Sendable {
    var status: Int
    var headers: [HTTPHeader]

    /// The first header of this name, in whatever case it was written.
    subscript(name: String) -> String? {
        headers.first {
            $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name.lowercased()
        }?.value
    }

    var isSuccess: Bool { (200..<300).contains(status) }
}

/// Sends requests, blocking; used by several lanes at once. What never reached a server, stalled or
/// broke off is a transient failure; an answer of any status is an answer.
protocol HTTPSender: AnyObject, Sendable {
    var traffic: StoreTraffic { get }
    func send(
        _ request: HTTPRequest, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer
}
