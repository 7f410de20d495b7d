import Glibc
import SluiceCore
import Testing

@testable import TestSupport

/// The tests' own server does what it claims; what is found with it is worth as much.
@Suite("A scripted server")
struct ScriptedServerTests {
    private static let get = "GET /a%2Fb?x=1&y HTTP/1.1\r\nHost: here\r\nX-Case: Kept\r\n\r\n"

    /// Sends each text on one connection, reading an answer behind each; what came, and how it ended.
    private func talk(_ server: ScriptedServer, _ texts: [String]) throws -> (String, Int32) {
        let socket = try LoopbackSocket(port: server.port)
        defer { socket.close() }
        var wait = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(
            socket.number, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var answers: [UInt8] = []
        for text in texts {
            socket.write(Array(text.utf8))
            while true {
                errno = 0
                guard let more = socket.read() else {
                    if errno == EAGAIN { break }
                    return (String(decoding: answers, as: UTF8.self), errno)
                }
                if more.isEmpty { return (String(decoding: answers, as: UTF8.self), 0) }
                answers += more
            }
        }
        return (String(decoding: answers, as: UTF8.self), EAGAIN)
    }

    @Test("gives its answers in order on one connection and remembers what it was asked")
    func keepAlive() throws {
        let server = try ScriptedServer([
            ScriptedAnswer(200, headers: [("ETag", "\"1\"")], text: "one"),
            ScriptedAnswer(503, headers: [("Retry-After", "7")]), ScriptedAnswer(204),
        ])
        let put = "PUT /c HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
        let (text, end) = try talk(server, [Self.get, put, "HEAD /d HTTP/1.1\r\n\r\n", Self.get])
        #expect(
            text == """
                HTTP/1.1 200 Fine\r\nETag: "1"\r\nContent-Length: 3\r\n\r\none\
                HTTP/1.1 503 Scripted\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n\
                HTTP/1.1 204 Fine\r\n\r\n\
                HTTP/1.1 500 Scripted\r\nContent-Length: 33\r\n\r\n\
                the script has no answer number 4
                """)
        #expect(end == EAGAIN)
        let requests = server.requests
        #expect(requests.map(\.method) == ["GET", "PUT", "HEAD", "GET"])
        #expect(requests.map(\.path) == ["/a%2Fb", "/c", "/d", "/a%2Fb"])
        #expect(requests.map(\.query) == ["x=1&y", "", "", "x=1&y"])
        #expect(requests.map(\.connection) == [1, 1, 1, 1])
        #expect(requests[0]["x-case"] == "Kept")
        #expect(requests[1].text == "hello")
        #expect(requests[1].bodyByteCount == 5)
    }

    @Test("asks for a body that a client holds back")
    func expectContinue() throws {
        let server = try ScriptedServer([ScriptedAnswer(200)])
        let head = "PUT /c HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        let (text, _) = try talk(server, [head, "hi"])
        #expect(
            text == "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n")
        #expect(server.requests.map(\.text) == ["hi"])
    }

    @Test("sends a body in chunks or slowly, whole in the end")
    func pieces() throws {
        let server = try ScriptedServer([
            ScriptedAnswer(200, body: Array("hello".utf8), delivery: .chunked(byteCount: 3)),
            ScriptedAnswer(
                200, body: Array("hello".utf8),
                delivery: .slow(byteCount: 2, pause: .milliseconds(20))),
        ])
        let (chunked, _) = try talk(server, [Self.get])
        #expect(
            chunked
                == "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
        )
        let (slow, _) = try talk(server, [Self.get])
        #expect(slow == "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\nhello")
    }

    private static let half = "HTTP/1.1 200 Fine\r\nContent-Length: 6\r\n\r\nhel"

    @Test("cuts, resets and stalls in the middle of a body, or says nothing at all")
    func breakage() throws {
        let body = Array("hello!".utf8)
        let server = try ScriptedServer([
            ScriptedAnswer(200, body: body, delivery: .cut(byteCount: 3)),
            ScriptedAnswer(200, body: body, delivery: .reset(byteCount: 3)),
            ScriptedAnswer(200, body: body, delivery: .stalled(byteCount: 3)),
            .hangUp, .reset, .stall, ScriptedAnswer(200, body: body, closes: true),
        ])
        let ends: [(String, Int32)] = [
            (Self.half, 0), (Self.half, ECONNRESET), (Self.half, EAGAIN), ("", 0),
            ("", ECONNRESET), ("", EAGAIN),
            ("HTTP/1.1 200 Fine\r\nContent-Length: 6\r\n\r\nhello!", 0),
        ]
        for (text, end) in ends {
            let found = try talk(server, [Self.get])
            #expect(found.0 == text)
            #expect(found.1 == end)
        }
        #expect(server.connectionCount == ends.count)
    }

    @Test("ends while a client waits for it")
    func ends() throws {
        var server: ScriptedServer? = try ScriptedServer([.stall])
        let socket = try LoopbackSocket(port: try #require(server).port)
        defer { socket.close() }
        socket.write(Array(Self.get.utf8))
        while server?.requests.isEmpty == true { Clock.sleep(.milliseconds(1)) }
        server = nil
        #expect(socket.read() == [])
    }

    @Test("behind a proxy breaks as many requests as it shall, the same ones for the same seed")
    func flakyProxy() throws {
        let server = try ScriptedServer { ScriptedAnswer(200, body: $0.body) }
        var found: [[FlakyProxy.Fault]] = []
        for seed: UInt64 in [1, 1, 2] {
            let proxy = try FlakyProxy(server.url, seed: seed)
            let port = try #require(proxy.url.split(separator: ":").last.flatMap { UInt16($0) })
            for number in 0..<300 {
                let socket = try LoopbackSocket(port: port)
                defer { socket.close() }
                let body = "body of \(number)"
                socket.write(
                    Array("PUT /\(number) HTTP/1.1\r\nConnection: close\r\nContent-Length: ".utf8)
                        + Array("\(body.utf8.count)\r\n\r\n\(body)".utf8))
                var text: [UInt8] = []
                while let more = socket.read(), !more.isEmpty { text += more }
            }
            #expect(proxy.requests.count == 300)
            #expect((40...80).contains(proxy.faults.count))
            found.append(proxy.faults)
        }
        #expect(found[0] == found[1])
        #expect(found[0] != found[2])
        #expect(Set(found[0] + found[2]).count > 8)
    }
}
