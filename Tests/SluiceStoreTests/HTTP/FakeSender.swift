import SluiceCore

@testable import SluiceStore

/// Answers requests by a closure, and remembers them.
final class FakeSender: HTTPSender {
    struct Asked: Sendable {
        var method: String
        var url: String
        var headers: [HTTPHeader]
        var body: [UInt8]

        subscript(name: String) -> String? { HTTPAnswer(status: 0, headers: headers)[name] }

        /// As `METHOD URL`.
        var line: String { "\(method) \(url)" }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Reply: Sendable {
        var status = 200
        var headers: [HTTPHeader] = []
        var body: [UInt8] = []
        /// Instead of an answer.
        var failure: Failure?

        static let noAnswer = Reply(
            failure: Failure(.unavailable, "nobody answers", isTransient: true))

        static func text(
            _ text: String, status: Int = 200, headers: [HTTPHeader] = []
        ) -> Reply {
            Reply(status: status, headers: headers, body: Array(text.utf8))
        }
    }

    private let answer: @Sendable (Asked) -> Reply
    private let log = Monitor<[Asked]>([])

    init(_ answer: @escaping @Sendable (Asked) -> Reply) { self.answer = answer }

    /// Answers the first request by the first reply and so on; then nobody answers.
    convenience init(_ replies: [Reply]) {
        let left = Monitor(replies[...])
        self.init { _ in left.change { $0.popFirst() } ?? .noAnswer }
    }

    /// Nobody answers.
    convenience init() { self.init([]) }

    var asked: [Asked] { log.read { $0 } }
    var traffic: StoreTraffic { StoreTraffic(requests: asked.count) }

    func send(
        _ request: HTTPRequest, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        let asked = Asked(
            method: request.method, url: request.url, headers: request.headers,
            body: request.body.map(Array.init) ?? [])
        log.change { $0.append(asked) }
        let reply = self.answer(asked)
        if let failure = reply.failure { throw failure }
        guard reply.body.count <= request.answerByteLimit else {
            throw Failure(.failed, "the answer is too long")
        }
        answer.removeAll()
        answer.append(reply.body)
        return HTTPAnswer(status: reply.status, headers: reply.headers)
    }
}

/// Surroundings of a test's own: what is not set is not there.
func surroundings(
    _ variables: [String: String] = [:], home: String? = "/nonexistent", now: Int = 1_700_000_000
) -> CredentialSurroundings {
    CredentialSurroundings(
        variable: { variables[$0] }, homeFolder: home, now: { now },
        commandTimeLimit: .seconds(5))
}
