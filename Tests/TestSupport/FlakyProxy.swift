import Glibc
import SluiceCore

/// Stands in front of a real HTTP server and breaks some of its requests, at random by a seed.
///
/// Requests go on as they came, so that their signatures hold.
public final class FlakyProxy: Sendable {
    /// What can go wrong with one request.
    public enum Fault: Sendable, CaseIterable {
        /// 503 SlowDown with a `Retry-After`; nothing was done.
        case slowDown
        /// 429; nothing was done.
        case tooManyRequests
        /// 500; nothing was done.
        case serverError
        /// A reset before anything was done.
        case resetBefore
        /// A reset instead of the answer; it was done.
        case resetAfter
        /// The connection ends instead of the answer; it was done.
        case hangUpAfter
        /// 500 although it was done.
        case errorAfter
        /// A reset in the middle of the answer's body.
        case resetInBody
        /// The answer ends early, with the length of the whole.
        case cutBody
        /// One bit of an object is wrong on the way back.
        case flippedBit
        /// A put that is answered by 200, as some middle man does, and that was not stored.
        case notStored
        /// A put that is answered by 200 and an error, and that was not stored.
        case errorInSuccess
        /// 307 without a place to go to, as S3 gives it while a bucket moves; nothing was done.
        case redirected
        /// S3's word for credentials whose time is over; nothing was done.
        case expiredToken
        /// Half of the answer, then silence. It costs a client its time-out, and is done once.
        case stalledBody

        /// What every kind of store may give.
        public static let common = allCases.filter { ![.redirected, .expiredToken].contains($0) }
        /// Those that cost a client no time-out.
        public static let quick = common.filter { $0 != .stalledBody }
    }

    fileprivate struct State {
        var faults: [Fault] = []
        /// How many requests are still answered; nothing: all.
        var left: Int?
    }

    fileprivate final class Route: Sendable {
        let port: UInt16
        let faults: [Fault]
        let oneIn: Int
        let seed: UInt64
        let state = Monitor(State())

        init(port: UInt16, faults: [Fault], oneIn: Int, seed: UInt64) {
            self.port = port
            self.faults = faults
            self.oneIn = oneIn
            self.seed = seed
        }
    }

    private let server: ScriptedServer
    private let route: Route

    /// - Parameters:
    ///   - upstream: the real server, `http://127.0.0.1:PORT`.
    ///   - oneIn: one request in so many is broken; zero: none.
    public init(
        _ upstream: String, faults: [Fault] = Fault.quick, oneIn: Int = 5, seed: UInt64
    ) throws {
        guard let port = upstream.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw SystemError("no port in the address of a server")
        }
        let route = Route(port: port, faults: faults, oneIn: oneIn, seed: seed)
        server = try ScriptedServer { route.answer($0) }
        self.route = route
    }

    public var url: String { server.url }
    public var requests: [ScriptedRequest] { server.requests }
    /// What was broken so far.
    public var faults: [Fault] { route.state.read { $0.faults } }

    /// Behind so many more requests every connection is closed without a word.
    public func goDown(after requestCount: Int) { route.state.change { $0.left = requestCount } }
    public func comeBack() { route.state.change { $0.left = nil } }
}

extension FlakyProxy.Route {
    func answer(_ request: ScriptedRequest) -> ScriptedAnswer {
        let isDown = state.change { state in
            guard let left = state.left else { return false }
            state.left = max(0, left - 1)
            return left == 0
        }
        if isDown { return .hangUp }
        guard let fault = fault(for: request), isAllowed(fault) else { return forward(request) }
        switch fault {
        case .slowDown: return .s3(503, "SlowDown", headers: [("Retry-After", "1")])
        case .tooManyRequests: return ScriptedAnswer(429, text: "too many requests")
        case .serverError: return .s3(500, "InternalError")
        case .resetBefore: return .reset
        case .notStored:
            return ScriptedAnswer(200, headers: [("Content-Type", "text/html")], text: "<html>")
        case .errorInSuccess: return .s3(200, "InternalError")
        case .redirected: return .s3(307, "TemporaryRedirect")
        case .expiredToken: return .s3(400, "ExpiredToken")
        case .resetAfter, .hangUpAfter, .errorAfter, .resetInBody, .cutBody, .flippedBit,
            .stalledBody:
            return spoiled(forward(request), fault, request)
        }
    }

    /// Counts it, unless it was done often enough.
    private func isAllowed(_ fault: FlakyProxy.Fault) -> Bool {
        state.change { state in
            if fault == .stalledBody && state.faults.contains(fault) { return false }
            state.faults.append(fault)
            return true
        }
    }

    /// The same for the same number of a request, in whatever order threads come here.
    private func fault(for request: ScriptedRequest) -> FlakyProxy.Fault? {
        guard oneIn > 0 else { return nil }
        var random = SeededRandom(seed: seed &+ UInt64(request.number))
        guard random.next() % UInt64(oneIn) == 0 else { return nil }
        let possible = faults.filter { fault in
            switch fault {
            case .notStored, .errorInSuccess: ["PUT", "POST"].contains(request.method)
            case .flippedBit:
                request.method == "GET"
                    && (request.query.isEmpty || request.query.contains("alt=media"))
            default: true
            }
        }
        return possible.randomElement(using: &random)
    }

    private func spoiled(
        _ answer: ScriptedAnswer, _ fault: FlakyProxy.Fault, _ request: ScriptedRequest
    ) -> ScriptedAnswer {
        var answer = answer
        let half = answer.body.count / 2
        switch fault {
        case .hangUpAfter: return .hangUp
        case .errorAfter: return .s3(500, "InternalError")
        case .flippedBit where answer.status == 200 && !answer.body.isEmpty:
            var random = SeededRandom(seed: ~seed &+ UInt64(request.number))
            let bit = Int(random.next() % UInt64(answer.body.count * 8))
            answer.body[bit / 8] ^= 1 << UInt8(bit % 8)
        case .resetInBody where half > 0 && request.method != "HEAD":
            answer.delivery = .reset(byteCount: half)
        case .cutBody where half > 0 && request.method != "HEAD":
            answer.delivery = .cut(byteCount: half)
        case .stalledBody: answer.delivery = .stalled(byteCount: half)
        default: return .reset
        }
        return answer
    }

    private func forward(_ request: ScriptedRequest) -> ScriptedAnswer {
        guard let socket = try? LoopbackSocket(port: port) else { return .hangUp }
        defer { socket.close() }
        // Signed headers are never among those that speak of the connection.
        let dropped: Set = ["connection", "expect", "transfer-encoding", "content-length"]
        var lines = [
            "\(request.method) \(request.path)\(request.query.isEmpty ? "" : "?")\(request.query) HTTP/1.1"
        ]
        for header in request.headers where !dropped.contains(header.name.lowercased()) {
            lines.append("\(header.name): \(header.value)")
        }
        if !request.body.isEmpty || request["Content-Length"] != nil {
            lines.append("Content-Length: \(request.body.count)")
        }
        lines += ["Connection: close", "", ""]
        let isSent = socket.write(Array(lines.joined(separator: "\r\n").utf8) + request.body)
        var reader = MessageReader(socket)
        guard isSent, let head = reader.head() else { return .hangUp }
        return answer(head, &reader, isBodiless: request.method == "HEAD") ?? .hangUp
    }

    private func answer(
        _ head: MessageReader.Head, _ reader: inout MessageReader, isBodiless: Bool
    ) -> ScriptedAnswer? {
        let words = head.line.split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { return nil }
        let dropped: Set = ["connection", "transfer-encoding", "keep-alive"]
        var answer = ScriptedAnswer(
            status, headers: head.headers.filter { !dropped.contains($0.name.lowercased()) })
        if isBodiless || status == 204 || status == 304 { return answer }
        if head["Transfer-Encoding"]?.lowercased() == "chunked" {
            guard let body = reader.chunks() else { return nil }
            answer.body = body
        } else if let byteCount = head["Content-Length"].flatMap({ Int($0) }) {
            guard let body = reader.body(byteCount: byteCount) else { return nil }
            answer.body = body
        } else {
            answer.body = reader.remainder()
        }
        return answer
    }
}
