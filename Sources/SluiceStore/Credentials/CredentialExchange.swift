internal import SluiceCore

/// A request for credentials and what was answered, small enough to keep.
struct CredentialExchange {
    static let answerByteLimit = 256 << 10

    let status: Int
    let headers: HTTPAnswer
    let body: [UInt8]

    var isSuccess: Bool { headers.isSuccess }

    static func send(
        _ method: String, _ url: String, _ headers: [HTTPHeader] = [], body: [UInt8]? = nil,
        by sender: any HTTPSender
    ) throws(Failure) -> CredentialExchange {
        var answer = ByteBuffer(capacity: 4096)
        var content = ByteBuffer(capacity: body?.count ?? 0)
        content.append(body ?? [])
        let request = HTTPRequest(
            method: method, url: url, headers: headers, body: body == nil ? nil : content.bytes,
            answerByteLimit: answerByteLimit)
        let head = try sender.send(request, into: &answer)
        return CredentialExchange(status: head.status, headers: head, body: answer.array())
    }

    /// Whether asking again may help.
    var isTransient: Bool { headers.isTransient }

    /// The body as one line of text without its line feed; nothing unless it is printable ASCII.
    var line: String? {
        var bytes = body[...]
        while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") {
            bytes.removeLast()
        }
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Whether a place had credentials, or why not.
enum CredentialFinding<Credentials: Sendable>: Sendable {
    case found(Credentials)
    /// In the words of the message that names all places.
    case nothing(String)
}
