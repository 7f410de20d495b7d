/// What a client asked of a scripted server.
public struct ScriptedRequest: Sendable {
    /// From one, over all connections.
    public var number: Int
    /// From one; the same while the client keeps a connection.
    public var connection: Int
    public var method: String
    /// As it was sent, percent-encoded, without the query.
    public var path: String
    /// As it was sent, without the question mark.
    public var query: String
    public var headers: [(name: String, value: String)]
    /// A server remembers only the first 64 KiB of it.
    public var body: [UInt8]
    public var bodyByteCount: Int

    /// The first header of this name, in whatever case.
    public subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Reads messages off a connection that carries one behind the other.
struct MessageReader {
    struct Head {
        var line: String
        var headers: [(name: String, value: String)]

        subscript(name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    let socket: LoopbackSocket
    private var rest: [UInt8] = []

    init(_ socket: LoopbackSocket) { self.socket = socket }

    /// Nothing at the end of the connection.
    mutating func head() -> Head? {
        var searched = 0
        while true {
            if let end = Self.blankLine(in: rest, from: searched) {
                let lines = String(decoding: rest[..<end], as: UTF8.self)
                    .split(separator: "\r\n").map(String.init)
                rest.removeFirst(end + 4)
                guard let line = lines.first else { return nil }
                let headers = lines.dropFirst().map { line in
                    let parts = line.split(
                        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
                    return (name: String(parts[0]), value: String(value))
                }
                return Head(line: line, headers: headers)
            }
            searched = max(0, rest.count - 3)
            guard fill() else { return nil }
        }
    }

    /// Nothing when the connection ends before.
    mutating func body(byteCount: Int) -> [UInt8]? {
        while rest.count < byteCount { guard fill() else { return nil } }
        let body = Array(rest[..<byteCount])
        rest.removeFirst(byteCount)
        return body
    }

    /// A body in chunks, put together.
    mutating func chunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = line(), let count = Int(line.prefix { $0 != ";" }, radix: 16),
                let chunk = self.body(byteCount: count)
            else { return nil }
            body += chunk
            if count == 0 {
                while let trailer = self.line() { if trailer.isEmpty { return body } }
                return nil
            }
            guard self.line() != nil else { return nil }
        }
    }

    /// Everything until the other side closes.
    mutating func remainder() -> [UInt8] {
        while fill() {}
        defer { rest = [] }
        return rest
    }

    private mutating func line() -> String? {
        while true {
            if let end = rest.firstIndex(of: 10) {
                let line = String(decoding: rest[..<end].filter { $0 != 13 }, as: UTF8.self)
                rest.removeFirst(end + 1)
                return line
            }
            guard fill() else { return nil }
        }
    }

    private mutating func fill() -> Bool {
        guard let more = socket.read(), !more.isEmpty else { return false }
        rest += more
        return true
    }

    private static func blankLine(in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= start + 4 else { return nil }
        return (start...bytes.count - 4).first { index in
            bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13
                && bytes[index + 3] == 10
        }
    }
}
