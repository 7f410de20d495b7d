import SluiceCore
import SluiceRecords

@testable import SluiceStore

/// The part of Google's service that the store uses, as its documentation has it: one bucket, tokens,
/// conditions, checksums, pages.
final class FakeGCS: HTTPSender {
    private struct Object {
        var bytes: [UInt8]
        var generation: Int
    }

    private struct State {
        var objects: [String: Object] = [:]
        /// In byte order, until there are other objects.
        var names: [String]?
        var generation = 1_000
        /// The most objects of a page, whatever is asked for.
        var pageLength = 1_000
        var requests: [String] = []
    }

    static let endpoint = "https://storage.googleapis.com"

    private let state = Monitor(State())
    private let token: String?
    private let keepsConditions: Bool

    /// - Parameter token: the only one that is accepted; none needed where there is none.
    init(token: String? = "t0ken", keepsConditions: Bool = true, pageLength: Int = 1_000) {
        self.token = token
        self.keepsConditions = keepsConditions
        state.change { $0.pageLength = pageLength }
    }

    var traffic: StoreTraffic { StoreTraffic(requests: requests.count) }
    var requests: [String] { state.read(\.requests) }

    func send(
        _ request: HTTPRequest, into answer: inout ByteBuffer
    ) throws(Failure) -> HTTPAnswer {
        let body = request.body.map(Array.init) ?? []
        let reply = state.change { state in
            state.requests.append(request.method)
            return self.reply(request, body, &state)
        }
        guard reply.body.count <= request.answerByteLimit else {
            throw Failure(.failed, "the answer is too long")
        }
        answer.removeAll()
        answer.append(reply.body)
        return HTTPAnswer(status: reply.status, headers: reply.headers)
    }

    private func reply(
        _ request: HTTPRequest, _ body: [UInt8], _ state: inout State
    ) -> FakeSender.Reply {
        let headers = HTTPAnswer(status: 0, headers: request.headers)
        if let token, headers["Authorization"] != "Bearer \(token)" {
            return FakeGCS.error(401, "authError", "Invalid Credentials")
        }
        let parts = request.url.split(separator: "?", maxSplits: 1).map(String.init)
        var query: [String: String] = [:]
        for item in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(pair[0])] = PercentText.decoded(pair[1])
        }
        let path = parts[0].split(separator: "/").dropFirst(2).map(String.init)
        let isUpload = path.first == "upload"
        let rest = Array(isUpload ? path.dropFirst() : path[...])
        guard rest.starts(with: ["storage", "v1", "b"]), rest.count >= 5, rest[4] == "o" else {
            return FakeGCS.error(404, "notFound", "Not Found")
        }
        guard rest[3] == "bucket" else {
            return FakeGCS.error(404, "notFound", "The specified bucket does not exist.")
        }
        if isUpload { return insert(query, headers, body, &state) }
        guard rest.count > 5, let name = PercentText.decoded(rest[5][...]) else {
            return list(query, &state)
        }
        guard let object = state.objects[name],
            query["generation"].map({ $0 == String(object.generation) }) ?? true
        else { return FakeGCS.error(404, "notFound", "No such object: bucket/\(name)") }
        if request.method == "DELETE" {
            state.objects[name] = nil
            state.names = nil
            return .init(status: 204)
        }
        guard query["alt"] == "media" else { return FakeGCS.resource(name, object) }
        let checksum = object.bytes.withUnsafeBytes { GCSObject.checksum($0) }
        if let part = FakeGCS.range(headers["Range"]) {
            let limits = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(object.bytes.count)"
            return .init(
                status: 206, headers: [HTTPHeader("Content-Range", limits)],
                body: Array(object.bytes[part]))
        }
        return .init(
            headers: [HTTPHeader("X-Goog-Hash", "md5=AAAA, crc32c=\(checksum)")],
            body: object.bytes)
    }

    private func insert(
        _ query: [String: String], _ headers: HTTPAnswer, _ body: [UInt8], _ state: inout State
    ) -> FakeSender.Reply {
        var name = query["name"]
        var checksum = headers["x-goog-hash"]?.split(separator: "=", maxSplits: 1).last
            .map(String.init)
        var bytes = body
        if query["uploadType"] == "multipart" {
            guard let parts = FakeGCS.parts(body, headers["Content-Type"] ?? ""),
                let description = try? JSON(parsing: parts.0)
            else { return FakeGCS.error(400, "badContent", "Malformed multipart body.") }
            name = description["name"]?.text
            checksum = description["crc32c"]?.text
            bytes = parts.1
        }
        guard let name else { return FakeGCS.error(400, "required", "Required") }
        let actual = bytes.withUnsafeBytes { GCSObject.checksum($0) }
        guard checksum == nil || checksum == actual else {
            return FakeGCS.error(
                400, "invalid",
                "Provided CRC32C \\\"\(checksum ?? "")\\\" doesn't match calculated CRC32C")
        }
        if keepsConditions, query["ifGenerationMatch"] == "0", state.objects[name] != nil {
            return FakeGCS.error(412, "conditionNotMet", "At least one of the pre-conditions …")
        }
        state.generation += 1
        let object = Object(bytes: bytes, generation: state.generation)
        if state.objects.updateValue(object, forKey: name) == nil { state.names = nil }
        return FakeGCS.resource(name, object)
    }

    private func list(_ query: [String: String], _ state: inout State) -> FakeSender.Reply {
        let prefix = query["prefix"] ?? ""
        let all =
            state.names ?? state.objects.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        state.names = all
        let names = all.filter {
            $0.utf8.starts(with: prefix.utf8) && $0 > (query["pageToken"] ?? "")
        }
        let page = names.prefix(min(Int(query["maxResults"] ?? "") ?? 1_000, state.pageLength))
        let items = page.map { name in
            let size = String(state.objects[name]?.bytes.count ?? 0)
            return JSON.object([.init("name", .string(name)), .init("size", .string(size))])
        }
        var json: JSON = items.isEmpty ? [:] : ["items": .array(items)]
        if page.count < names.count, let last = page.last {
            json = json.setting("nextPageToken", to: .string(last))
        }
        return .text(json.compact)
    }

    private static func resource(_ name: String, _ object: Object) -> FakeSender.Reply {
        let checksum = object.bytes.withUnsafeBytes { GCSObject.checksum($0) }
        let json: JSON = [
            "name": .string(name), "size": .string(String(object.bytes.count)),
            "crc32c": .string(checksum), "generation": .string(String(object.generation)),
        ]
        return .text(json.compact)
    }

    /// What `bytes=3-7` asks for.
    private static func range(_ text: String?) -> Range<Int>? {
        let ends = text?.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
        guard let ends, ends.count == 2 else { return nil }
        return ends[0]..<ends[1] + 1
    }

    /// The contents of both parts.
    private static func parts(_ body: [UInt8], _ type: String) -> ([UInt8], [UInt8])? {
        let start = "multipart/related; boundary="
        guard type.hasPrefix(start) else { return nil }
        let boundary = type.dropFirst(start.count)
        let middle = Array("\r\n--\(boundary)\r\n".utf8)
        let first = Array("--\(boundary)\r\n".utf8)
        let end = Array("\r\n--\(boundary)--\r\n".utf8)
        guard body.starts(with: first), body.suffix(end.count) == end[...],
            let split = body.firstRange(of: middle)
        else { return nil }
        let pieces = [
            body[first.count..<split.lowerBound], body[split.upperBound..<body.count - end.count],
        ].compactMap { piece in
            piece.firstRange(of: Array("\r\n\r\n".utf8)).map { Array(piece[$0.upperBound...]) }
        }
        return pieces.count == 2 ? (pieces[0], pieces[1]) : nil
    }

    static func error(
        _ status: Int, _ reason: String, _ message: String, headers: [HTTPHeader] = []
    ) -> FakeSender.Reply {
        .text(
            """
            {"error":{"code":\(status),"message":"\(message)","errors":[{"message":"\(message)",\
            "domain":"global","reason":"\(reason)"}]}}
            """, status: status, headers: headers)
    }
}

/// A store over a sender of a test's own, shown the token `t0ken`.
func gcsStore(
    _ sender: any HTTPSender, _ url: String = "gs://bucket/a/b", token: String = "t0ken"
) throws(Failure) -> GCSStore {
    let around = surroundings(["GOOGLE_OAUTH_ACCESS_TOKEN": token])
    return GCSStore(
        location: try GCSLocation(url, around), sender: sender,
        credentials: GoogleCredentials(
            sender: FakeSender(), metadata: FakeSender(), surroundings: around))
}
