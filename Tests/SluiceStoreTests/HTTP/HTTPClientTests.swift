import Glibc
import SluiceCore
import Testing

@testable import SluiceStore
@testable import TestSupport

@Suite("Requests over HTTP")
struct HTTPClientTests {
    private func send(
        _ request: HTTPRequest, _ client: HTTPClient = HTTPClient(options: quick)
    ) throws(Failure) -> (HTTPAnswer, [UInt8]) {
        var buffer = ByteBuffer()
        buffer.append([9, 9])
        let answer = try client.send(request, into: &buffer)
        return (answer, buffer.array())
    }

    private static let quick = {
        var options = HTTPOptions()
        options.connectLimit = .seconds(2)
        options.stallLimit = .seconds(1)
        options.usesProxy = false
        return options
    }()

    private func failed(_ request: HTTPRequest, _ options: HTTPOptions = quick) -> Failure? {
        failure { () throws(Failure) in try send(request, HTTPClient(options: options)) }
    }

    @Test("carry headers and body there and back, over one connection")
    func roundTrip() throws {
        let server = try ScriptedServer { request in
            ScriptedAnswer(
                201, headers: [("X-Sum", "  a  b "), ("x-empty", "")],
                text: "\(request.method) \(request.path) \(request.query) \(request.text)")
        }
        let client = HTTPClient()
        var body = ByteBuffer()
        body.append("hello")
        let headers = [HTTPHeader("X-One", "1"), HTTPHeader("X-Two", "2")]
        for _ in 0..<3 {
            let request = HTTPRequest(
                method: "PUT", url: server.url + "/a%20b/../c?x=%2F", headers: headers,
                body: body.bytes)
            let (answer, bytes) = try send(request, client)
            #expect(answer.status == 201)
            #expect(answer["x-sum"] == "a  b")
            #expect(answer["X-Empty"] == "")
            #expect(String(decoding: bytes, as: UTF8.self) == "PUT /a%20b/../c x=%2F hello")
        }
        #expect(server.connectionCount == 1)
        #expect(client.traffic.requests == 3 && client.connectionCount == 1)
        #expect(server.requests[0]["x-one"] == "1")
        #expect(server.requests[0]["x-two"] == "2")
        #expect(server.requests[0]["Content-Length"] == "5")
        #expect(server.requests[0]["Accept-Encoding"] == nil)
    }

    @Test("speak HTTP/2 where the server offers it")
    func newerProtocol() throws {
        var options = HTTPClientTests.quick
        options.caBundle = try RealServer.setting("SLUICE_TEST_CERTIFICATE")
        let client = HTTPClient(options: options)
        for _ in 0..<3 {
            let request = HTTPRequest(method: "GET", url: try RealServer.nginxTLS.address + "/x")
            let (answer, _) = try send(request, client)
            #expect(answer.status == 404)
            #expect(answer["X-Protocol"] == "HTTP/2.0")
        }
        #expect(client.connectionCount == 1)
    }

    @Test("put an empty body as one", arguments: ["PUT", "POST"])
    func emptyBody(_ method: String) throws {
        let server = try ScriptedServer([ScriptedAnswer(200)])
        let request = HTTPRequest(
            method: method, url: server.url + "/",
            body: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(try send(request).0.status == 200)
        #expect(server.requests[0]["Content-Length"] == "0")
        #expect(server.requests[0].method == method)
    }

    @Test("do not follow to another place")
    func redirect() throws {
        let server = try ScriptedServer([ScriptedAnswer(307, headers: [("Location", "/b")])])
        let (answer, _) = try send(HTTPRequest(method: "GET", url: server.url + "/a"))
        #expect(answer.status == 307)
        #expect(answer["Location"] == "/b")
        #expect(server.requests.count == 1)
    }

    @Test("give back every status as an answer, with the beginning of a long story")
    func statuses() throws {
        let story = [UInt8](repeating: 65, count: 1 << 20)
        let server = try ScriptedServer([
            ScriptedAnswer(404, text: "gone"), ScriptedAnswer(500, body: story),
        ])
        let first = try send(
            HTTPRequest(method: "GET", url: server.url + "/", answerByteLimit: 1))
        #expect(first.0.status == 404)
        #expect(first.1 == Array("gone".utf8))
        let second = try send(HTTPRequest(method: "GET", url: server.url + "/"))
        #expect(second.0.status == 500)
        #expect(second.1.count <= 64 << 10)
    }

    @Test("end where an answer is longer than expected, announced or not")
    func tooLong() throws {
        let body = [UInt8](repeating: 65, count: 50)
        let server = try ScriptedServer([
            ScriptedAnswer(200, body: body),
            ScriptedAnswer(200, body: body, delivery: .chunked(byteCount: 50)),
            ScriptedAnswer(200, body: body),
        ])
        for _ in 0..<2 {
            let found = failed(
                HTTPRequest(method: "GET", url: server.url + "/?secret=1", answerByteLimit: 49))
            #expect(
                found?.description == """
                    \(server.url) answers with 50 bytes, more than the 49 expected
                    hint: Does something else than a store answer there?
                    """)
            #expect(found?.isTransient == false)
        }
        let whole = HTTPRequest(method: "GET", url: server.url + "/", answerByteLimit: 50)
        #expect(try send(whole).1 == body)
    }

    @Test("fail for the moment where the connection ends early")
    func brokenOff() throws {
        let body = [UInt8](repeating: 65, count: 1000)
        let server = try ScriptedServer([
            ScriptedAnswer(200, body: body, delivery: .cut(byteCount: 500)),
            ScriptedAnswer(200, body: body, delivery: .reset(byteCount: 500)), .hangUp, .reset,
        ])
        for _ in 0..<4 {
            let found = failed(HTTPRequest(method: "GET", url: server.url + "/?secret=1"))
            #expect(found?.description == "\(server.url) broke the connection off")
            #expect(found?.isTransient == true)
            #expect(found?.kind == .unavailable)
        }
    }

    @Test("fail for the moment where nothing comes any more, but not where it comes slowly")
    func stalled() throws {
        let body = [UInt8](repeating: 65, count: 30)
        let server = try ScriptedServer([
            ScriptedAnswer(
                200, body: body, delivery: .slow(byteCount: 3, pause: .milliseconds(250))),
            ScriptedAnswer(200, body: body, delivery: .stalled(byteCount: 10)), .stall,
        ])
        #expect(try send(HTTPRequest(method: "GET", url: server.url + "/")).1 == body)
        for _ in 0..<2 {
            let found = failed(HTTPRequest(method: "GET", url: server.url + "/"))
            #expect(found?.description == "\(server.url) stalled: not a byte in 1 s")
            #expect(found?.isTransient == true)
        }
    }

    @Test("name the host that is not known, or refuses")
    func unreachable() throws {
        let (number, port) = try LoopbackSocket.listener()
        close(number)
        let refused = failed(HTTPRequest(method: "GET", url: "http://127.0.0.1:\(port)/x?y=secret"))
        #expect(
            refused?.description == """
                http://127.0.0.1:\(port) refuses the connection
                hint: Does the server run, and is the port right?
                """)
        #expect(refused?.isTransient == true)
        let unknown = failed(
            HTTPRequest(method: "GET", url: "https://user:secret@store.invalid/x?y=secret"))
        #expect(
            unknown?.description == """
                the name of https://store.invalid is not known
                hint: Is the host right, and does this machine reach its name server?
                """)
        #expect(unknown?.isTransient == true)
    }

    @Test("name what is wrong with an encryption")
    func encryption() throws {
        let url = try RealServer.nginxTLS.address + "/"
        let untrusted = failed(HTTPRequest(method: "GET", url: url))
        #expect(
            untrusted?.description == """
                the certificate of \(url.dropLast()) is not trusted
                hint: Give the certificate of its authority with --ca-bundle FILE.
                """)
        #expect(untrusted?.isTransient == false)
        var options = Self.quick
        options.caBundle = try RealServer.setting("SLUICE_TEST_CERTIFICATE")
        let answer = try send(HTTPRequest(method: "GET", url: url), HTTPClient(options: options)).0
        #expect([200, 403, 404].contains(answer.status))
        let otherHost = failed(
            HTTPRequest(method: "GET", url: url.replacing("127.0.0.1", with: "localhost")), options)
        #expect(
            otherHost?.description == """
                the certificate of \(url.replacing("127.0.0.1", with: "localhost").dropLast()) \
                is another host's
                hint: Use the name that the certificate has.
                """)
        options.caBundle = "/nonexistent.pem"
        #expect(
            failed(HTTPRequest(method: "GET", url: url), options)?.description == """
                the CA bundle /nonexistent.pem cannot be read
                hint: Does the file exist, and does it hold certificates in PEM form?
                """)
        options.caBundle = nil
        options.clientCertificate = "/nonexistent.pem"
        #expect(
            failed(HTTPRequest(method: "GET", url: url), options)?.description == """
                the client certificate /nonexistent.pem cannot be used
                hint: Does the file exist, is it in PEM form, and is the key the certificate's?
                """)
        let plain = try RealServer.nginx.address
        let wrong = failed(
            HTTPRequest(method: "GET", url: plain.replacing("http:", with: "https:") + "/"))
        #expect(
            wrong?.description == """
                \(plain.replacing("http:", with: "https:")) does not agree on an encryption
                hint: Does the server speak TLS on this port?
                """)
    }

    @Test("name a server that does not answer in HTTP")
    func otherProtocol() throws {
        let (listener, port) = try LoopbackSocket.listener()
        defer { close(listener) }
        let answering = Thread {
            let socket = LoopbackSocket(number: accept(listener, nil, nil))
            _ = socket.write(Array("220 mail.example ESMTP\r\n".utf8))
            socket.shutDown()
            socket.close()
        }
        defer { answering.join() }
        let found = failed(HTTPRequest(method: "GET", url: "http://127.0.0.1:\(port)/"))
        #expect(
            found?.description == """
                http://127.0.0.1:\(port) does not answer in HTTP
                hint: Is the port right?
                """)
    }
}
