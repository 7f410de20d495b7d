/// What a scripted server says, and how it goes wrong on the way.
public struct ScriptedAnswer: Sendable {
    /// How the body arrives.
    public enum Delivery: Sendable {
        case whole
        /// In chunks of this many bytes, without a length.
        case chunked(byteCount: Int)
        /// In pieces of this many bytes with a pause behind each.
        case slow(byteCount: Int, pause: Duration)
        /// The connection ends in order behind so many bytes; the length says that more would come.
        case cut(byteCount: Int)
        /// The connection is reset behind so many bytes.
        case reset(byteCount: Int)
        /// Nothing more comes behind so many bytes, and the connection stays.
        case stalled(byteCount: Int)
    }

    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    public var delivery: Delivery
    /// The connection ends behind the answer, and the answer did not say so.
    public var closes = false

    public init(
        _ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        delivery: Delivery = .whole, closes: Bool = false
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.delivery = delivery
        self.closes = closes
    }

    public init(
        _ status: Int, headers: [(name: String, value: String)] = [], text: String
    ) {
        self.init(status, headers: headers, body: Array(text.utf8))
    }

    /// The connection is reset, and nothing was said.
    public static let reset = silence(.reset(byteCount: 0))
    /// The connection ends, and nothing was said.
    public static let hangUp = silence(.cut(byteCount: 0))
    /// Nothing is said, and the connection stays.
    public static let stall = silence(.stalled(byteCount: 0))

    private static func silence(_ delivery: Delivery) -> ScriptedAnswer {
        ScriptedAnswer(0, delivery: delivery)
    }

    /// An S3 server's error.
    public static func s3(
        _ status: Int, _ code: String, _ message: String = "a scripted failure",
        headers: [(name: String, value: String)] = [], members: String = ""
    ) -> ScriptedAnswer {
        ScriptedAnswer(
            status, headers: headers + [("Content-Type", "application/xml")],
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code>"
                + "<Message>\(message)</Message>\(members)<RequestId>1</RequestId></Error>")
    }

    /// An error of Google's JSON API.
    public static func gcs(
        _ status: Int, _ reason: String, _ message: String = "a scripted failure",
        headers: [(name: String, value: String)] = []
    ) -> ScriptedAnswer {
        ScriptedAnswer(
            status, headers: headers + [("Content-Type", "application/json; charset=UTF-8")],
            text: """
                {"error": {"code": \(status), "message": "\(message)", \
                "errors": [{"message": "\(message)", "domain": "global", "reason": "\(reason)"}]}}
                """)
    }

    /// The first header of this name, in whatever case.
    public subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
