import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("The URL of a bucket")
struct GCSLocationTests {
    private func location(
        _ url: String, _ variables: [String: String] = [:]
    ) throws(Failure) -> GCSLocation {
        try GCSLocation(url, surroundings(variables))
    }

    @Test("names a bucket and a prefix")
    func prefixes() throws {
        #expect(try location("gs://my-bucket").bucket == "my-bucket")
        for (url, prefix) in [
            ("gs://abc", ""), ("gs://abc/", ""), ("gs://abc//", ""), ("gs://abc/a", "a/"),
            ("gs://abc/a/b//", "a/b/"), ("gs://abc/a%20b", "a b/"),
            ("gs://abc?credentials=none", ""),
        ] {
            #expect(try location(url).prefix == prefix)
        }
        let sender = FakeSender()
        #expect(try gcsStore(sender, "gs://abc/a/b/").place == "gs://abc/a/b")
        #expect(try gcsStore(sender, "gs://abc/").place == "gs://abc")
    }

    @Test("may name an endpoint, which gets credentials only with encryption")
    func endpoints() throws {
        let google = try location("gs://abc")
        #expect(google.endpoint == "https://storage.googleapis.com")
        #expect(google.isGoogle && !google.isAnonymous)
        let emulator = try location("gs://abc?endpoint=http%3A%2F%2Flocalhost:4443/")
        #expect(emulator.endpoint == "http://localhost:4443")
        #expect(!emulator.isGoogle && emulator.isAnonymous)
        let regional = try location(
            "gs://abc?endpoint=https://storage.europe-west3.rep.googleapis.com")
        #expect(regional.isGoogle && !regional.isAnonymous)
        let other = try location("gs://abc?endpoint=https://example.com&credentials=none")
        #expect(!other.isGoogle && other.isAnonymous)
        #expect(try !location("gs://abc?endpoint=https://example.com").isAnonymous)
        let variable = ["STORAGE_EMULATOR_HOST": "127.0.0.1:9"]
        #expect(try location("gs://abc", variable).endpoint == "http://127.0.0.1:9")
        #expect(
            try location("gs://abc", ["STORAGE_EMULATOR_HOST": "https://a.b/"]).endpoint
                == "https://a.b")
        #expect(try location("gs://abc?endpoint=http://c", variable).endpoint == "http://c")
    }

    @Test(
        "is refused by the rule that it breaks",
        arguments: [
            ("s3://abc", "the URL of a bucket begins with gs://"),
            (
                "gs://AB/x",
                "a bucket's name has 3 to 222 lower-case letters, digits, '-', '_' and '.'"
            ),
            (
                "gs://abc/a//b",
                "a prefix is names of printable ASCII between slashes, none of which begins with "
                    + "a dot"
            ),
            (
                "gs://abc/../b",
                "a prefix is names of printable ASCII between slashes, none of which begins with "
                    + "a dot"
            ),
            ("gs://abc?endpoint=%", "each item of the query stands once, as name=value"),
            (
                "gs://abc?credentials=none&credentials=none",
                "each item of the query stands once, as name=value"
            ),
            ("gs://abc?credentials=s3cret", "'credentials' may only be 'none'"),
            (
                "gs://abc?endpoint=localhost",
                "an endpoint is an http or https URL without user or query"
            ),
            (
                "gs://abc?endpoint=http://u:p@h",
                "an endpoint is an http or https URL without user or query"
            ),
        ])
    func malformed(_ url: String, _ rule: String) {
        let found = failure { () throws(Failure) in try location(url) }
        #expect(
            found?.description == """
                the store's URL is malformed: \(rule)
                hint: Write gs://bucket/prefix, and ?endpoint=URL behind it for an emulator.
                """)
        #expect(found?.kind == .usage)
    }

    @Test("may have no other items, and says what was meant")
    func unknownItem() {
        #expect(
            failure { () throws(Failure) in try location("gs://abc?endpiont=x") }?.description
                == """
                unknown item in the query of a gs:// URL
                hint: Did you mean 'endpoint'?
                """)
        #expect(
            failure { () throws(Failure) in try location("gs://abc?zzz=x") }?.description == """
                unknown item in the query of a gs:// URL
                hint: Known are 'endpoint' and 'credentials'.
                """)
    }
}
