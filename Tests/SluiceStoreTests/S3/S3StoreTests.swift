import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("An S3 store")
struct S3StoreTests {
    private static let variables = [
        "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "very secret",
        "AWS_SESSION_TOKEN": "token",
    ]

    private func store(
        _ sender: FakeSender, _ url: String = "s3://bucket/p?endpoint=http://h&region=r",
        nameByteLimit: Int = 4 << 20
    ) throws -> S3Store {
        let chain = AWSCredentialChain(
            sender: FakeSender(), surroundings: surroundings(Self.variables))
        return try S3Store(
            S3Location(url), chain: chain, sender: sender, nameByteLimit: nameByteLimit)
    }

    private static let stored = FakeSender.Reply(headers: [HTTPHeader("ETag", "\"1\"")])
    private static let taken = FakeSender.Reply.text(
        "<Error><Code>PreconditionFailed</Code></Error>", status: 412)

    @Test("puts a shard by one request with checksum, token and options")
    func put() throws {
        let sender = FakeSender([Self.stored])
        let store = try store(
            sender, "s3://bucket/p?endpoint=https://h&sse=aws:kms&sse-kms-key-id=k&storage-class=IA"
        )
        try store.put(Array("123456789".utf8), at: "data/a%41/1.avro")
        #expect(sender.asked.map(\.line) == ["PUT https://h/bucket/p/data/a%2541/1.avro"])
        let asked = try #require(sender.asked.first)
        // The check value of CRC-32C over these digits, big-endian.
        #expect(asked["x-amz-checksum-crc32c"] == "4waSgw==")
        #expect(asked["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD")
        #expect(asked["x-amz-security-token"] == "token")
        #expect(asked["x-amz-server-side-encryption"] == "aws:kms")
        #expect(asked["x-amz-server-side-encryption-aws-kms-key-id"] == "k")
        #expect(asked["x-amz-storage-class"] == "IA")
        #expect(asked["If-None-Match"] == nil)
    }

    @Test("signs the body's hash where no encryption protects it")
    func plainHash() throws {
        let sender = FakeSender([Self.stored])
        try store(sender).put(Array("abc".utf8), at: "a")
        #expect(
            sender.asked.first?["x-amz-content-sha256"]
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("finds out by its first create whether conditions count, and asks no more")
    func conditionsAreKept() throws {
        let free = FakeSender.Reply(status: 404)
        let sender = FakeSender([free, Self.stored, Self.taken, Self.stored, Self.taken])
        let store = try store(sender)
        #expect(try store.create([1], at: "a"))
        #expect(sender.asked.map { $0["If-None-Match"] } == [nil, "*", "*"])
        #expect(store.facts == StoreFacts(hasConditionalPut: true, canList: true))
        #expect(try store.create([1], at: "b"))
        #expect(try !store.create([1], at: "b"))
        #expect(sender.asked.map(\.method) == ["HEAD", "PUT", "PUT", "PUT", "PUT"])
    }

    @Test("looks before it creates where conditions are ignored")
    func conditionsAreIgnored() throws {
        let sender = FakeSender([
            FakeSender.Reply(status: 404), Self.stored, Self.stored, FakeSender.Reply(status: 404),
            Self.stored,
            FakeSender.Reply(),
        ])
        let store = try store(sender)
        #expect(try store.create([1], at: "a"))
        #expect(store.facts == StoreFacts(hasConditionalPut: false, canList: true))
        #expect(try store.create([1], at: "b"))
        #expect(try !store.create([1], at: "b"))
        #expect(sender.asked.map(\.method) == ["HEAD", "PUT", "PUT", "HEAD", "PUT", "HEAD"])
    }

    @Test("touches nothing that is there while it finds out whether conditions count")
    func learning() throws {
        let sender = FakeSender { _ in FakeSender.Reply() }
        let store = try store(sender)
        #expect(try !store.create([1], at: "a"))
        #expect(sender.asked.map(\.line) == ["HEAD http://h/bucket/p/a"])
    }

    @Test("knows that AWS keeps conditions, and its order")
    func amazon() throws {
        let sender = FakeSender([Self.stored, Self.page(["p/b", "p/a"])])
        let store = try store(sender, "s3://bucket/p?region=r")
        #expect(try store.create([1], at: "a"))
        #expect(try store.keys() == ["b", "a"])
        #expect(
            sender.asked.map(\.line) == [
                "PUT https://bucket.s3.r.amazonaws.com/p/a",
                "GET https://bucket.s3.r.amazonaws.com/?list-type=2&prefix=p%2F",
            ])
    }

    @Test(
        "does not believe a success that is none",
        arguments: [
            (
                FakeSender.Reply.text("<Error><Code>InternalError</Code></Error>"),
                "http://h cannot write s3://bucket/p/a now [InternalError]"
            ),
            (
                FakeSender.Reply.text("<html>Welcome</html>"),
                "http://h answers without an ETag\nhint: Does the server speak S3?"
            ),
            (
                FakeSender.Reply(headers: [
                    HTTPHeader("ETag", "1"), HTTPHeader("x-amz-checksum-crc32c", "AAAAAA=="),
                ]),
                "s3://bucket/p/a is damaged on its way\n"
                    + "hint: Something between this machine and http://h changes bytes."
            ),
        ])
    func falseSuccess(_ reply: FakeSender.Reply, _ wanted: String) throws {
        let store = try store(FakeSender([reply]))
        let found = failure { () throws(Failure) in try store.put([1], at: "a") }
        #expect(found?.description == wanted)
        #expect(found?.isTransient == true)
    }

    @Test("checks what it reads where the store gives a checksum")
    func readChecksum() throws {
        let good = HTTPHeader("x-amz-checksum-crc32c", "4waSgw==")
        let store = try store(
            FakeSender([
                .text("123456789", headers: [good]), .text("123456780", headers: [good]),
            ]))
        #expect(try store.get("a") == Array("123456789".utf8))
        let found = failure { () throws(Failure) in try store.get("a") }
        #expect(found?.message == "s3://bucket/p/a is damaged on its way")
        #expect(found?.isTransient == true)
    }

    @Test("fetches new credentials when the store says that the old ones have ended")
    func expired() throws {
        let ended = FakeSender.Reply.text(
            "<Error><Code>ExpiredToken</Code></Error>", status: 400)
        let store = try store(FakeSender([ended, Self.stored]))
        let retrying = RetryingStore(
            store, retry: Retry(firstPause: .microseconds(1), pauseLimit: .microseconds(1)),
            stop: StopSignal())
        try retrying.put([1], at: "a")
        #expect(retrying.traffic.retries == 1)
    }

    private static func page(_ keys: [String], next: String? = nil) -> FakeSender.Reply {
        let contents = keys.map {
            "<Contents><Key>\($0)</Key><Size>\($0.utf8.count)</Size></Contents>"
        }
        let more = next.map {
            "<IsTruncated>true</IsTruncated><NextContinuationToken>\($0)</NextContinuationToken>"
        }
        return .text("<ListBucketResult>\(more ?? "")\(contents.joined())</ListBucketResult>")
    }

    @Test("lists page by page, with a query as the signature wants it")
    func pages() throws {
        let sender = FakeSender([
            Self.page(["p/data/a b/1", "p/data/a&amp;b/1"], next: "x/+="), Self.page(["p/data/c"]),
        ])
        #expect(try store(sender).keys("data/") == ["data/a b/1", "data/a&b/1", "data/c"])
        #expect(
            sender.asked.map(\.url) == [
                "http://h/bucket/?list-type=2&prefix=p%2Fdata%2F",
                "http://h/bucket/?continuation-token=x%2F%2B%3D&list-type=2&prefix=p%2Fdata%2F",
            ])
    }

    @Test("leaves out what no put can have made")
    func foreignKeys() throws {
        let sender = FakeSender([
            Self.page(["p/.hidden", "p/a", "p/b/", "p//c", "other/d", "p/e\u{e9}"])
        ])
        #expect(try store(sender).keys() == ["a"])
    }

    @Test("sorts what a server lists in another order, in passes that bound the memory")
    func otherOrder() throws {
        let keys = (0..<100).map { "p/\(($0 * 37) % 100 + 100)" }
        let sender = FakeSender { _ in Self.page(keys) }
        let store = try store(sender, nameByteLimit: 200)
        #expect(try store.keys() == (100..<200).map(String.init))
        #expect((2...10).contains(sender.asked.count))
    }

    @Test("reads on from where it was where the server's order is ours")
    func sameOrder() throws {
        let sender = FakeSender { asked in
            // Five keys a page, behind the one that is asked for.
            let mark = ["start-after=p%2F", "continuation-token="].compactMap { name in
                asked.url.split(whereSeparator: { "?&".contains($0) })
                    .first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) }
            }.max()
            let keys = ((mark ?? 99) + 1..<200).prefix(5).map { "p/\($0)" }
            return Self.page(
                keys, next: keys.last == "p/199" ? nil : keys.last.map { String($0.dropFirst(2)) })
        }
        let store = try store(sender, nameByteLimit: 200)
        #expect(try store.keys() == (100..<200).map(String.init))
        #expect(sender.asked.count <= 60)
    }
}
