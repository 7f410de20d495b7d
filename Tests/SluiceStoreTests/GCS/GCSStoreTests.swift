import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("Google Cloud Storage")
struct GCSStoreTests {
    private static let objects = "https://storage.googleapis.com/storage/v1/b/bucket/o"
    private static let upload = "https://storage.googleapis.com/upload/storage/v1/b/bucket/o"
    private static let fields = "fields=size%2Ccrc32c%2Cgeneration&prettyPrint=false"

    /// The resource of an object.
    private func resource(_ bytes: [UInt8], size: Int? = nil) -> FakeSender.Reply {
        let checksum = bytes.withUnsafeBytes { GCSObject.checksum($0) }
        return .text(
            #"{"size":"\#(size ?? bytes.count)","crc32c":"\#(checksum)","generation":"17"}"#)
    }

    private func failure(
        _ replies: [FakeSender.Reply], _ url: String = "gs://bucket/a/b",
        _ body: (GCSStore) throws(Failure) -> Void
    ) -> Failure? {
        TestSupport.failure { () throws(Failure) in
            try body(try gcsStore(FakeSender(replies), url))
        }
    }

    @Test("writes checksums as the service does")
    func checksum() {
        // RFC 3720, appendix B.4: 32 bytes of zeroes are 8a9136aa.
        let zeroes = [UInt8](repeating: 0, count: 32)
        #expect(zeroes.withUnsafeBytes { GCSObject.checksum($0) } == "ipE2qg==")
    }

    @Test("is sent a large object as it lies, with its checksum")
    func largeUpload() throws {
        let bytes = pattern(65_537)
        let sender = FakeSender([resource(bytes), resource(bytes)])
        let store = try gcsStore(sender)
        try store.put(bytes, at: "data/t%41/1")
        let checksum = bytes.withUnsafeBytes { GCSObject.checksum($0) }
        let asked = sender.asked[0]
        #expect(
            asked.line == "POST \(Self.upload)?\(Self.fields)&uploadType=media"
                + "&name=a%2Fb%2Fdata%2Ft%2541%2F1")
        #expect(
            asked.headers == [
                HTTPHeader("Content-Type", "application/octet-stream"),
                HTTPHeader("x-goog-hash", "crc32c=\(checksum)"),
                HTTPHeader("Authorization", "Bearer t0ken"),
            ])
        #expect(asked.body == bytes)
        #expect(try store.create(bytes, at: "x"))
        #expect(
            sender.asked[1].url == "\(Self.upload)?\(Self.fields)&ifGenerationMatch=0"
                + "&uploadType=media&name=a%2Fb%2Fx")
    }

    @Test("is sent a small object together with its description")
    func smallUpload() throws {
        let sender = FakeSender([resource(Array("{}".utf8))])
        try gcsStore(sender).put(Array("{}".utf8), at: "manifest.json")
        let asked = sender.asked[0]
        #expect(asked.line == "POST \(Self.upload)?\(Self.fields)&uploadType=multipart")
        let boundary = "sluice-44136fa355b3678a1146ad16f7e8649e94fb4fc2"
        #expect(asked["Content-Type"] == "multipart/related; boundary=\(boundary)")
        #expect(
            asked.text.split(separator: "\r\n", omittingEmptySubsequences: false) == [
                "--\(boundary)", "Content-Type: application/json; charset=UTF-8", "",
                #"{"name":"a/b/manifest.json","crc32c":"KXvQqg=="}"#, "--\(boundary)",
                "Content-Type: application/octet-stream", "", "{}", "--\(boundary)--", "",
            ])
    }

    @Test("is asked once for each object")
    func oneRequest() throws {
        let sender = FakeGCS()
        let store = try gcsStore(sender)
        #expect(try store.create([1], at: "a"))
        #expect(try !store.create([1], at: "a"))
        try store.put(pattern(100_000), at: "b")
        #expect(try store.get("b")?.count == 100_000)
        try store.delete("b")
        #expect(try store.keys() == ["a"])
        #expect(sender.requests == ["POST", "POST", "POST", "GET", "DELETE", "GET"])
        #expect(store.facts == StoreFacts(hasConditionalPut: true, canList: true))
    }

    @Test("stores nothing else than what was sent")
    func changedOnTheWay() throws {
        let message = """
            the bytes of gs://bucket/a/b/k changed on their way
            hint: Something between here and the store damages data; see the network's own \
            error counts.
            """
        for reply in [resource([1, 2]), resource([1], size: 2)] {
            let sender = FakeSender([reply, .text("", status: 204)])
            let found = TestSupport.failure { () throws(Failure) in
                try gcsStore(sender).put([1], at: "k")
            }
            #expect(found?.description == message)
            #expect(found?.isTransient == true)
            #expect(
                sender.asked.last?.line == "DELETE \(Self.objects)/a%2Fb%2Fk?generation=17")
        }
        let refused = FakeGCS.error(400, "invalid", "Provided CRC32C x doesn't match calculated y")
        let found = failure([refused]) { store throws(Failure) in try store.put([1], at: "k") }
        #expect(
            found?.headline
                == "the bytes of gs://bucket/a/b/k changed on their way [400 invalid]")
        #expect(found?.isTransient == true)
        let wrong = FakeSender.Reply(
            headers: [HTTPHeader("x-goog-hash", "crc32c=AAAAAA==")], body: [1, 2, 3])
        let read = failure([wrong]) { store throws(Failure) in _ = try store.get("k") }
        #expect(read?.description == message)
        #expect(read?.isTransient == true)
    }

    @Test("is asked what is there when it is not known whether an object was created")
    func ambiguousCreate() throws {
        let gone = FakeGCS.error(404, "notFound", "No such object: bucket/k")
        for first in [FakeSender.Reply.noAnswer, FakeGCS.error(503, "backendError", "")] {
            for (second, result) in [(resource([1]), true), (resource([2]), false)] {
                let sender = FakeSender([first, second])
                #expect(try gcsStore(sender).create([1], at: "k") == result)
                #expect(sender.asked.last?.line == "GET \(Self.objects)/a%2Fb%2Fk?\(Self.fields)")
            }
            for second in [gone, .noAnswer, FakeGCS.error(403, "forbidden", "")] {
                let found = failure([first, second]) { store throws(Failure) in
                    _ = try store.create([1], at: "k")
                }
                #expect(found?.isTransient == true)
                #expect(
                    found?.description
                        == (first.failure != nil
                            ? "nobody answers\n  while writing gs://bucket/a/b/k"
                            : """
                            the store is too busy to write gs://bucket/a/b/k [503 backendError]
                            hint: Run the same command again later, perhaps with fewer --lanes.
                            """))
            }
        }
    }

    @Test("is tried with one more token when one has ended")
    func endedToken() throws {
        let scratch = try ScratchFolder()
        try scratch.write(
            #"{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}"#,
            to: "key")
        let tokens = FakeSender([
            .text(#"{"access_token":"old","expires_in":3600}"#),
            .text(#"{"access_token":"t0ken","expires_in":3600}"#),
            .text(#"{"access_token":"t0ken","expires_in":3600}"#),
        ])
        let around = surroundings(["GOOGLE_APPLICATION_CREDENTIALS": scratch.path("key")])
        let sender = FakeGCS()
        let store = GCSStore(
            location: try GCSLocation("gs://bucket", around), sender: sender,
            credentials: GoogleCredentials(
                sender: tokens, metadata: FakeSender(), surroundings: around))
        try store.put([1], at: "k")
        #expect(try store.get("k") == [1])
        #expect(sender.requests == ["POST", "POST", "GET"])
        let refused = failure([FakeGCS.error(401, "authError", "s3cret")]) {
            store throws(Failure) in try store.put([1], at: "k")
        }
        #expect(
            refused?.description == """
                Google does not accept the access token from GOOGLE_OAUTH_ACCESS_TOKEN \
                [401 authError]
                hint: Access tokens end after an hour or so; does the account still exist?
                """)
    }

    @Test("says what is wrong and what to do, for each status")
    func refusals() {
        let role =
            "hint: Does the account of the credentials from GOOGLE_OAUTH_ACCESS_TOKEN have the "
            + "role Storage Object User on the bucket?"
        let endpoint =
            "hint: Is https://storage.googleapis.com an endpoint of Google Cloud Storage's JSON "
            + "API?"
        let expected: [(FakeSender.Reply, String, Bool)] = [
            (
                FakeGCS.error(403, "forbidden", "s3cret"),
                "permission denied to write gs://bucket/a/b/k [403 forbidden]\n\(role)", false
            ),
            (
                FakeGCS.error(404, "notFound", "The specified bucket does not exist."),
                "there is no bucket gs://bucket [404 notFound]\nhint: Create the bucket, or "
                    + "correct its name in the URL.", false
            ),
            (
                FakeGCS.error(403, "retentionPolicyNotMet", ""),
                "a retention policy or hold forbids to write gs://bucket/a/b/k "
                    + "[403 retentionPolicyNotMet]\nhint: Wait until it ends, or choose a bucket "
                    + "without one.", false
            ),
            (
                FakeGCS.error(400, "userProjectMissing", ""),
                "the bucket gs://bucket lets those who ask pay [400 userProjectMissing]\nhint: "
                    + "Such buckets are not supported; choose another one.", false
            ),
            (
                FakeGCS.error(429, "rateLimitExceeded", ""),
                "the store is too busy to write gs://bucket/a/b/k [429 rateLimitExceeded]\nhint: "
                    + "Run the same command again later, perhaps with fewer --lanes.", true
            ),
            (
                FakeGCS.error(403, "userRateLimitExceeded", ""),
                "the store is too busy to write gs://bucket/a/b/k [403 userRateLimitExceeded]\n"
                    + "hint: Run the same command again later, perhaps with fewer --lanes.", true
            ),
            (
                .text("<html>s3cret", status: 500),
                "the store fails to write gs://bucket/a/b/k [500]\nhint: Run the same command "
                    + "again later.", true
            ),
            (
                .text(#"{"error":{"errors":[{"reason":"not a word"}]}}"#, status: 418),
                "cannot write gs://bucket/a/b/k [418]\n\(endpoint)", false
            ),
            (
                .text("", status: 307), "cannot write gs://bucket/a/b/k [307]\n\(endpoint)", false
            ),
            (
                .text("s3cret"),
                "the store's answer to writing gs://bucket/a/b/k does not describe an object\n"
                    + endpoint, true
            ),
        ]
        for (reply, description, isTransient) in expected {
            let found = failure([reply]) { store throws(Failure) in try store.put([1], at: "k") }
            #expect(found?.description == description)
            #expect(found?.isTransient == isTransient)
        }
        let busy = FakeGCS.error(503, "backendError", "", headers: [HTTPHeader("Retry-After", "9")])
        let pause = failure([busy]) { store throws(Failure) in try store.put([1], at: "k") }
        #expect(pause?.retryAfter == .seconds(9))
    }

    @Test("says which request was refused")
    func verbs() {
        let refused = FakeGCS.error(403, "forbidden", "")
        let headlines = [
            failure([refused]) { store throws(Failure) in _ = try store.get("k") },
            failure([refused]) { store throws(Failure) in try store.delete("k") },
            failure([refused]) { store throws(Failure) in _ = try store.keys() },
            failure([refused]) { store throws(Failure) in _ = try store.keys("data/") },
        ].map { $0?.headline }
        #expect(
            headlines == [
                "permission denied to read gs://bucket/a/b/k [403 forbidden]",
                "permission denied to delete gs://bucket/a/b/k [403 forbidden]",
                "permission denied to list gs://bucket/a/b [403 forbidden]",
                "permission denied to list gs://bucket/a/b/data/ [403 forbidden]",
            ])
        let anonymous = failure([refused], "gs://bucket?credentials=none") {
            store throws(Failure) in _ = try store.get("k")
        }
        #expect(
            anonymous?.description == """
                permission denied to read gs://bucket/k without credentials [403 forbidden]
                hint: Leave out credentials=none, and use an endpoint with https: credentials are \
                not sent without encryption.
                """)
        let bucket = FakeGCS.error(404, "notFound", "The specified bucket does not exist.")
        let missing = [
            failure([bucket]) { store throws(Failure) in _ = try store.get("k") },
            failure([bucket]) { store throws(Failure) in try store.delete("k") },
            failure([bucket]) { store throws(Failure) in _ = try store.keys() },
        ].map { $0?.headline }
        #expect(
            missing
                == Array(repeating: "there is no bucket gs://bucket [404 notFound]", count: 3))
    }

    @Test("is sent no credentials without encryption")
    func noCredentials() throws {
        let sender = FakeSender([.text("{}")])
        #expect(try gcsStore(sender, "gs://bucket?endpoint=http://localhost:1").keys() == [])
        #expect(sender.asked[0].headers == [])
    }

    @Test("lists page by page, and ends a listing that would not end")
    func pages() throws {
        let sender = FakeSender([
            .text(
                #"{"items":[{"name":"a/b/","size":"0"},{"name":"a/b/1","size":"9"}],"#
                    + #""nextPageToken":"x/="}"#),
            .text(#"{"nextPageToken":"y"}"#),
            .text(#"{"items":[{"name":"a/b/2","size":"8"}]}"#),
        ])
        let store = try gcsStore(sender)
        #expect(
            try store.objects() == [
                StoredObject(key: "1", byteCount: 9), StoredObject(key: "2", byteCount: 8),
            ])
        let start =
            "\(Self.objects)?maxResults=1000&fields=items%28name%2Csize%29%2CnextPageToken"
            + "&prettyPrint=false&prefix=a%2Fb%2F"
        #expect(
            sender.asked.map(\.url) == [
                start, "\(start)&pageToken=x%2F%3D", "\(start)&pageToken=y",
            ])
        let one = #"{"items":[{"name":"a/b/1","size":"9"}],"nextPageToken":"x"}"#
        let empty = FakeSender.Reply.text(#"{"nextPageToken":"x"}"#)
        for (replies, what) in [
            ([FakeSender.Reply.text("s3cret")], "is not a page of a listing"),
            ([.text(#"{"items":[{"name":"a/b/1"}]}"#)], "is not a page of a listing"),
            ([.text(one), .text(one)], "is not in order"),
            ([.text(#"{"items":[{"name":"other","size":"1"}]}"#)], "is not in order"),
            ([empty, empty], "has the same page after itself"),
        ] {
            let found = failure(replies) { store throws(Failure) in _ = try store.keys() }
            #expect(
                found?.description == """
                    the store's answer to listing gs://bucket/a/b \(what)
                    hint: Is https://storage.googleapis.com an endpoint of Google Cloud Storage's \
                    JSON API?
                    """)
        }
    }

    @Test("finds out once whether an emulator keeps conditions")
    func conditions() throws {
        for keepsConditions in [true, false] {
            let sender = FakeGCS(token: nil, keepsConditions: keepsConditions)
            let store = try gcsStore(sender, "gs://bucket?endpoint=http://localhost:1")
            #expect(store.facts.hasConditionalPut)
            #expect(try store.create([1], at: "a"))
            #expect(sender.requests == ["GET", "POST", "POST"])
            #expect(store.facts.hasConditionalPut == keepsConditions)
            #expect(try store.create([1], at: "b"))
            #expect(sender.requests.count == (keepsConditions ? 4 : 5))
            #expect(try !store.create([2], at: "a"))
            #expect(try store.get("a") == [1])
        }
    }
}
