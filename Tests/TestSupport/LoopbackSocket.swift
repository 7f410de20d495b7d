import Glibc

/// One connection over loopback, blocking. Its owner closes it, and only then; whoever else wants it to end shuts it down.
public struct LoopbackSocket: Sendable {
    let number: Int32

    init(number: Int32) {
        self.number = number
        var isOn: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, 4)
    }

    /// Connects to a server on this machine.
    init(port: UInt16) throws {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("no socket") }
        let code = LoopbackSocket.withAddress(port) { connect(number, $0, $1) }
        guard code == 0 else {
            let error = SystemError("no connection to port \(port)")
            Glibc.close(number)
            throw error
        }
        self.init(number: number)
    }

    /// Waits for clients at a free port.
    static func listener(port: UInt16 = 0) throws -> (number: Int32, port: UInt16) {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("no socket") }
        var isOn: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &isOn, 4)
        guard withAddress(port, { bind(number, $0, $1) }) == 0, listen(number, 512) == 0 else {
            let error = SystemError("cannot listen at port \(port)")
            Glibc.close(number)
            throw error
        }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = getsockname(number, address, &length)
            }
        }
        return (number, UInt16(bigEndian: address.sin_port))
    }

    private static func withAddress<Result>(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                body(address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// What is there, at most a block; empty at the end, nothing after a failure.
    func read() -> [UInt8]? {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 17) { room, count in
            var result = -1
            repeat {
                result = recv(number, room.baseAddress, room.count, 0)
            } while result < 0 && errno == EINTR
            failed = result < 0
            count = max(0, result)
        }
        return failed ? nil : bytes
    }

    /// False when the other side is gone.
    @discardableResult
    func write(_ bytes: some Collection<UInt8>) -> Bool {
        Array(bytes).withUnsafeBytes { all in
            var done = 0
            while done < all.count {
                let count = send(
                    number, all.baseAddress.map { $0 + done }, all.count - done,
                    Int32(MSG_NOSIGNAL))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    /// Whether the other side closed it within the time.
    func isClosed(within milliseconds: Int32) -> Bool {
        // The C header's POLLRDHUP, which Swift does not see.
        let hangUp = Int16(0x2000 | Int32(POLLHUP) | Int32(POLLERR))
        var wanted = pollfd(fd: number, events: hangUp, revents: 0)
        return poll(&wanted, 1, milliseconds) > 0
    }

    /// Ends both directions for whoever reads or writes now.
    func shutDown() { _ = shutdown(number, Int32(SHUT_RDWR)) }

    /// The other side's next read says that the connection was reset.
    func reset() {
        var wait = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &wait, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() { Glibc.close(number) }
}
