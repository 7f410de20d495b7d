import Glibc
import SluiceCore

/// An HTTP/1.1 server of the tests' own that says what a test wants, for what real servers do not say on demand.
///
/// It listens on a free port of loopback and answers each request by a closure; connections are kept. It ends with its
/// owner.
public final class ScriptedServer: Sendable {
    public typealias Script = @Sendable (ScriptedRequest) -> ScriptedAnswer

    private struct State {
        var requests: [ScriptedRequest] = []
        var requestCount = 0
        var connectionCount = 0
        var open: [Int: LoopbackSocket] = [:]
        var threads: [Thread] = []
        var isStopped = false
    }

    public let port: UInt16
    private let service: Service
    private let acceptor: Thread

    /// - Parameters:
    ///   - port: zero: a free one.
    ///   - script: called for each request, on several threads at once.
    public init(port: UInt16 = 0, _ script: @escaping Script) throws {
        let listener = try LoopbackSocket.listener(port: port)
        let service = Service(listener: listener.number, script: script)
        self.port = listener.port
        self.service = service
        acceptor = Thread { service.accept() }
    }

    /// Gives these answers in this order, then status 500 for whatever else comes.
    public convenience init(_ answers: [ScriptedAnswer]) throws {
        try self.init { request in
            request.number <= answers.count
                ? answers[request.number - 1]
                : ScriptedAnswer(500, text: "the script has no answer number \(request.number)")
        }
    }

    deinit {
        service.stop()
        acceptor.join()
    }

    public var url: String { "http://127.0.0.1:\(port)" }

    /// Everything that was asked so far, in the order it was answered.
    public var requests: [ScriptedRequest] { service.state.read { $0.requests } }
    public var connectionCount: Int { service.state.read { $0.connectionCount } }

    /// What the threads share; it must not own the server, whose end ends the threads.
    private final class Service: Sendable {
        let listener: Int32
        let script: Script
        let state = Monitor(State())

        init(listener: Int32, script: @escaping Script) {
            self.listener = listener
            self.script = script
        }

        func stop() {
            state.change { state in
                state.isStopped = true
                for socket in state.open.values { socket.shutDown() }
            }
            _ = shutdown(listener, Int32(SHUT_RDWR))
        }

        func accept() {
            while true {
                let number = Glibc.accept(listener, nil, nil)
                if number < 0 {
                    if errno == EINTR || errno == ECONNABORTED { continue }
                    break
                }
                // No program that a test starts meanwhile may hold it open.
                _ = fcntl(number, F_SETFD, FD_CLOEXEC)
                let socket = LoopbackSocket(number: number)
                let connection = state.change { state -> Int? in
                    guard !state.isStopped else { return nil }
                    state.connectionCount += 1
                    state.open[state.connectionCount] = socket
                    return state.connectionCount
                }
                guard let connection else {
                    socket.close()
                    continue
                }
                let thread = Thread { self.serve(socket, connection) }
                state.change { $0.threads.append(thread) }
            }
            close(listener)
            for thread in state.read({ $0.threads }) { thread.join() }
        }

        private func serve(_ socket: LoopbackSocket, _ connection: Int) {
            var reader = MessageReader(socket)
            var isReset = false
            while !isReset, let request = next(&reader, connection) {
                let answer = script(request)
                isReset = answer.isReset
                guard deliver(answer, to: request, socket) else { break }
            }
            // Once it is out of the list nobody else uses the descriptor, whose number is free then.
            state.change { state in
                state.open[connection] = nil
                isReset ? socket.reset() : socket.close()
            }
        }

        private func next(_ reader: inout MessageReader, _ connection: Int) -> ScriptedRequest? {
            guard let head = reader.head() else { return nil }
            let words = head.line.split(separator: " ")
            guard words.count == 3 else { return nil }
            if head["Expect"]?.lowercased() == "100-continue" {
                reader.socket.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            }
            let isChunked = head["Transfer-Encoding"]?.lowercased() == "chunked"
            let byteCount = head["Content-Length"].flatMap { Int($0) } ?? 0
            guard let body = isChunked ? reader.chunks() : reader.body(byteCount: byteCount) else {
                return nil
            }
            let target = words[1].split(
                separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            var request = ScriptedRequest(
                number: 0, connection: connection, method: String(words[0]),
                path: String(target[0]), query: target.count > 1 ? String(target[1]) : "",
                headers: head.headers, body: body, bodyByteCount: body.count)
            return state.change { state in
                state.requestCount += 1
                request.number = state.requestCount
                var remembered = request
                remembered.body = Array(body.prefix(1 << 16))
                state.requests.append(remembered)
                return request
            }
        }

        /// False when the connection has ended.
        private func deliver(
            _ answer: ScriptedAnswer, to request: ScriptedRequest, _ socket: LoopbackSocket
        ) -> Bool {
            if answer.status > 0 {
                guard socket.write(Array(answer.head(to: request).utf8)) else { return false }
            }
            let body = request.method == "HEAD" ? [] : answer.body
            switch answer.delivery {
            case .whole:
                guard socket.write(body) else { return false }
            case .chunked(let byteCount):
                for start in stride(from: 0, to: body.count, by: max(1, byteCount)) {
                    let chunk = body[start..<min(start + byteCount, body.count)]
                    let size = Array("\(String(chunk.count, radix: 16))\r\n".utf8)
                    guard socket.write(size + chunk + [13, 10]) else { return false }
                }
                guard socket.write(Array("0\r\n\r\n".utf8)) else { return false }
            case .slow(let byteCount, let pause):
                for start in stride(from: 0, to: body.count, by: max(1, byteCount)) {
                    guard socket.write(body[start..<min(start + byteCount, body.count)]) else {
                        return false
                    }
                    Clock.sleep(pause)
                }
            case .cut(let byteCount):
                socket.write(body.prefix(byteCount))
                return false
            case .reset(let byteCount):
                socket.write(body.prefix(byteCount))
                // What is still on its way would be lost by the reset too.
                if byteCount > 0 { Clock.sleep(.milliseconds(20)) }
                return false
            case .stalled(let byteCount):
                socket.write(body.prefix(byteCount))
                while !state.read({ $0.isStopped }), !socket.isClosed(within: 50) {}
                return false
            }
            return !answer.closes && request["Connection"]?.lowercased() != "close"
        }
    }
}

extension ScriptedAnswer {
    fileprivate var isReset: Bool {
        if case .reset = delivery { true } else { false }
    }

    fileprivate func head(to request: ScriptedRequest) -> String {
        var lines = ["HTTP/1.1 \(status) \(status < 300 ? "Fine" : "Scripted")"]
        lines += headers.map { "\($0.name): \($0.value)" }
        if case .chunked = delivery {
            lines.append("Transfer-Encoding: chunked")
        } else if self["Content-Length"] == nil, status != 204, status != 304 {
            lines.append("Content-Length: \(body.count)")
        }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }
}
