import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("A store on a plain HTTP server")
struct WebDAVStoreTests {
    private func store(_ sender: FakeSender, _ url: String = "http://h/p") throws -> WebDAVStore {
        WebDAVStore(try WebDAVLocation(url), sender: sender)
    }

    private static func status(_ status: Int) -> FakeSender.Reply { .init(status: status) }

    @Test("puts a shard by one request, with user and query")
    func put() throws {
        let sender = FakeSender([Self.status(201)])
        let store = try store(sender, "http://us%40er:pass%3A@h/a%20b/?sig=x%2F&y")
        try store.put([1], at: "data/a%41/1.avro")
        #expect(store.place == "http://h/a%20b")
        #expect(
            sender.asked.map(\.line) == ["PUT http://h/a%20b/data/a%2541/1.avro?sig=x%2F&y"])
        #expect(
            sender.asked.first?["Authorization"]
                == "Basic \(Base64.string(Array("us@er:pass:".utf8)))")
    }

    @Test("believes a page in answer to a put only when the object is there")
    func page() throws {
        let page = FakeSender.Reply.text("<html>")
        let length = FakeSender.Reply(headers: [HTTPHeader("Content-Length", "1")])
        let stored = FakeSender([page, length])
        try store(stored).put([1], at: "k")
        #expect(stored.asked.map(\.method) == ["PUT", "HEAD"])
        for there in [Self.status(404), FakeSender.Reply()] {
            let store = try store(FakeSender([page, there]))
            let found = failure { () throws(Failure) in try store.put([1], at: "k") }
            #expect(
                found?.description == """
                    http://h says that it stored what is not there
                    hint: Does the server speak WebDAV?
                    """)
            #expect(found?.isTransient == true)
        }
        let moved = try store(FakeSender([404, 201, 200, 200].map(Self.status)))
        let found = failure { () throws(Failure) in try moved.create([1], at: "k") }
        #expect(
            found?.description == """
                http://h says that it moved what is still there
                hint: Does the server speak WebDAV?
                """)
    }

    @Test("gives a bearer token where the URL names no user")
    func bearer() throws {
        #expect(try WebDAVLocation("http://h", password: "t").authorization == "Bearer t")
        let basic = try WebDAVLocation("http://u:old@h", password: "new").authorization
        #expect(basic == "Basic \(Base64.string(Array("u:new".utf8)))")
        #expect(try WebDAVLocation("http://h").authorization == nil)
    }

    @Test("makes the folders once where the server wants them")
    func folders() throws {
        let sender = FakeSender([409, 405, 201, 201, 201].map(Self.status))
        try store(sender).put([1], at: "data/t/1")
        #expect(
            sender.asked.map(\.line) == [
                "PUT http://h/p/data/t/1", "MKCOL http://h/p/", "MKCOL http://h/p/data/",
                "MKCOL http://h/p/data/t/", "PUT http://h/p/data/t/1",
            ])
    }

    @Test("makes the folders above its own where the server wants those, too")
    func foldersAbove() throws {
        let sender = FakeSender([409, 409, 405, 201, 201, 201, 201].map(Self.status))
        try store(sender, "http://h/a/b%20c/d?sig=x").put([1], at: "data/1")
        #expect(
            sender.asked.map(\.line) == [
                "PUT http://h/a/b%20c/d/data/1?sig=x", "MKCOL http://h/a/b%20c/d/?sig=x",
                "MKCOL http://h/a/?sig=x", "MKCOL http://h/a/b%20c/?sig=x",
                "MKCOL http://h/a/b%20c/d/?sig=x", "MKCOL http://h/a/b%20c/d/data/?sig=x",
                "PUT http://h/a/b%20c/d/data/1?sig=x",
            ])
    }

    @Test("tries again where another lane makes the same folder")
    func foldersInParallel() throws {
        let store = try store(FakeSender([409, 405, 423].map(Self.status)))
        let found = failure { () throws(Failure) in try store.put([1], at: "data/1") }
        #expect(found?.description == "http://h cannot write http://h/p/data/ [423]")
        #expect(found?.isTransient == true)
    }

    @Test("touches nothing that is there while it finds out how to create")
    func learning() throws {
        let sender = FakeSender([200, 200].map(Self.status))
        let store = try store(sender)
        #expect(try !store.create([1], at: "a"))
        #expect(try !store.create([1], at: "a"))
        #expect(sender.asked.map(\.line) == ["HEAD http://h/p/a", "HEAD http://h/p/a"])
    }

    @Test("creates by a unique name that is moved, and tries once whether that is refused")
    func byMove() throws {
        let sender = FakeSender([404, 201, 201, 201, 412, 204, 201, 412, 204].map(Self.status))
        let store = try store(sender)
        #expect(try store.create([1], at: "seals/1"))
        #expect(try !store.create([1], at: "seals/1"))
        #expect(
            sender.asked.map(\.method) == [
                "HEAD", "PUT", "MOVE", "PUT", "MOVE", "DELETE", "PUT", "MOVE", "DELETE",
            ])
        #expect(sender.asked[1].url.hasPrefix("http://h/p/seals/.sluice-"))
        #expect(sender.asked[2].url == sender.asked[1].url)
        #expect(sender.asked[2]["Destination"] == "http://h/p/seals/1")
        #expect(sender.asked[2]["Overwrite"] == "F")
        #expect(sender.asked[5].url == sender.asked[3].url)
        #expect(sender.asked[3].url != sender.asked[1].url)
        // Real servers look first and move then, so two at once may both be first.
        #expect(!store.facts.hasConditionalPut)
    }

    @Test("creates by a condition where nothing can be moved")
    func byCondition() throws {
        // Nothing there; draft, refused move, removal; the object, and the same again.
        let sender = FakeSender([404, 201, 405, 204, 201, 412, 412].map(Self.status))
        let store = try store(sender)
        #expect(try store.create([1], at: "a"))
        #expect(try !store.create([1], at: "a"))
        #expect(sender.asked.last?["If-None-Match"] == "*")
        #expect(store.facts.hasConditionalPut)
    }

    @Test("looks before it creates where the server decides nothing")
    func byLooking() throws {
        let sender = FakeSender(
            [404, 201, 405, 204, 201, 201, 404, 201, 200, 405].map(Self.status))
        let store = try store(sender)
        #expect(try store.create([1], at: "a"))
        #expect(try store.create([1], at: "b"))
        #expect(try !store.create([1], at: "b"))
        #expect(store.facts == StoreFacts(hasConditionalPut: false, canList: false))
        #expect(
            sender.asked.suffix(4).map(\.method) == ["HEAD", "PUT", "HEAD", "PROPFIND"])
    }

    @Test("reads hrefs as paths or URLs, encoded or not")
    func folder() throws {
        var body = ByteBuffer()
        body.append(
            """
            <D:multistatus xmlns:D="DAV:">
            <D:response><D:href>/p%20q/</D:href><D:propstat><D:prop><D:resourcetype>\
            <D:collection/></D:resourcetype></D:prop></D:propstat></D:response>
            <D:response><D:href>http://h/p%20q/a%2541</D:href><D:propstat><D:prop>\
            <D:getcontentlength>7</D:getcontentlength><D:resourcetype/></D:prop></D:propstat>\
            </D:response>
            <D:response><D:href>/p%20q/t/</D:href><D:propstat><D:prop><D:resourcetype>\
            <D:collection/></D:resourcetype></D:prop></D:propstat></D:response>
            </D:multistatus>
            """)
        let entries = try WebDAVFolder(body.bytes, url: "http://h/p%20q/?x").entries
        #expect(entries.map(\.name) == ["p q", "a%41", "t"])
        #expect(entries.map(\.isItself) == [true, false, false])
        #expect(entries.map(\.isFolder) == [true, false, true])
        #expect(entries.map(\.byteCount) == [0, 7, 0])
    }

    @Test(
        "says what is wrong and what to do",
        arguments: [
            (
                401,
                """
                http://h asks for a user and a password [401]
                hint: Write them into the store's URL, or give --store-password-command.
                """
            ),
            (
                403,
                """
                http://h does not allow to write http://h/p/a [403]
                hint: Give the user that right, or use another user.
                """
            ),
            (
                405,
                """
                http://h does not know how to write http://h/p/a [405]
                hint: Let the server take PUT and DELETE there, or choose another store.
                """
            ),
            (
                409,
                """
                http://h has no place for http://h/p/a [409]
                hint: Make the folder on the server first, or correct the store's URL.
                """
            ),
            (
                413,
                """
                http://h takes no object as large as http://h/p/a [413]
                hint: Raise the server's limit, or use smaller --shard-bytes.
                """
            ),
            (
                507,
                """
                no space left on http://h [507]
                hint: Free some space, then run the same command again.
                """
            ),
            (
                302,
                """
                http://h sends to https://other to write http://h/p/a [302]
                hint: Write the right place into the store's URL.
                """
            ),
            (418, "http://h cannot write http://h/p/a [418]"),
        ])
    func lasting(_ status: Int, _ wanted: String) throws {
        let sender = FakeSender { _ in
            FakeSender.Reply(
                status: status, headers: [HTTPHeader("Location", "https://other/?secret")])
        }
        let store = try store(sender)
        let found = failure { () throws(Failure) in try store.put([1], at: "a") }
        #expect(found?.description == wanted)
        #expect(found?.isTransient == false)
    }

    @Test(
        "says so where user and password are wrong, and never shows them")
    func wrongPassword() throws {
        let store = try store(FakeSender { _ in Self.status(401) }, "http://me:secret@h/p?t=secret")
        let found = failure { () throws(Failure) in try store.put([1], at: "a") }
        #expect(
            found?.description == """
                http://h does not take this user and password [401]
                hint: Are they the ones of this server?
                """)
    }

    @Test("waits where the server is busy", arguments: [429, 503])
    func busy(_ status: Int) throws {
        let reply = FakeSender.Reply(status: status, headers: [HTTPHeader("Retry-After", "5")])
        let store = try store(FakeSender { _ in reply })
        let found = failure { () throws(Failure) in try store.put([1], at: "a") }
        #expect(found?.message == "http://h asks for fewer requests")
        #expect(found?.hint == "Use fewer --lanes if this goes on.")
        #expect(found?.retryAfter == .seconds(5))
        #expect(found?.isTransient == true)
    }
}
