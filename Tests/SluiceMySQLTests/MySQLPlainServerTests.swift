import Glibc
import SluiceCore
import Testing

@testable import SluiceMySQL
@testable import TestSupport

/// A server without TLS, which says hello and takes everybody.
private final class PlainServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let thread: Thread

    init() throws {
        let (number, port) = try LoopbackSocket.listener()
        self.port = port
        listener = number
        thread = Thread {
            while true {
                let client = accept(number, nil, nil)
                guard client >= 0 else { break }
                let socket = LoopbackSocket(number: client)
                socket.write(PlainServer.packet(0, PlainServer.greeting))
                if let login = socket.read(), !login.isEmpty {
                    socket.write(PlainServer.packet(2, [0, 0, 0, 2, 0, 0, 0]))
                    _ = socket.read()
                }
                socket.close()
            }
        }
    }

    deinit {
        _ = shutdown(listener, Int32(SHUT_RDWR))
        thread.join()
        close(listener)
    }

    private static func packet(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count), 0, 0, number] + bytes
    }

    /// Protocol 4.1, plugins for authentication, transactions, a database in the login; no TLS.
    private static let greeting: [UInt8] =
        [10] + Array("10.11.6-MariaDB".utf8) + [0] + [1, 0, 0, 0] + Array("saltsalt".utf8) + [0]
        + [0x08, 0xA2] + [45, 2, 0] + [0x08, 0x00] + [21] + [UInt8](repeating: 0, count: 10)
        + Array("moresaltsalt".utf8) + [0] + Array("mysql_native_password".utf8) + [0]
}

@Suite("A MySQL server without TLS") struct MySQLPlainServerTests {
    @Test(
        "is refused where encryption is asked for",
        arguments: ["required", "verify-ca", "verify-identity"])
    func required(_ mode: String) throws {
        let server = try PlainServer()
        let found = failure(of: {
            try open("mysql://u:p@127.0.0.1:\(server.port)/d?ssl-mode=\(mode)")
        })
        #expect(found?.kind == .usage)
        #expect(found?.message == "mysql://test does not offer TLS, which its ssl-mode asks for")
        #expect(
            found?.hint == "Switch TLS on at the server, or use ssl-mode=preferred.")
    }

    @Test("is spoken to where it is only wished for")
    func preferred() throws {
        let server = try PlainServer()
        let found = failure(of: { try open("mysql://u:p@127.0.0.1:\(server.port)/d") })
        // It took the login, and hangs up at the first statement.
        #expect(found?.message.hasPrefix("the connection to mysql://test was lost: ") == true)
    }
}
