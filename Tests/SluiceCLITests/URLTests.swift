import SluiceCore
import Testing

@testable import SluiceCLI

struct DatabaseURLTests {
    @Test(
        "everything behind the colon of a SQLite URL is the path as it is",
        arguments: [
            ("sqlite:app.db", "app.db"), ("sqlite:/data/app.db", "/data/app.db"),
            ("sqlite:///data/app.db", "/data/app.db"), ("sqlite:a?b#c%20d@e:f", "a?b#c%20d@e:f"),
            ("sqlite: ", " "), ("sqlite://x", "//x"), ("sqlite:/{date}", "/{date}"),
        ])
    func paths(_ url: String, _ path: String) throws {
        let parsed = try DatabaseURL(url)
        #expect(parsed.engine == .sqlite)
        #expect(parsed.location == path)
    }

    @Test(
        "server URLs are recognised by their scheme",
        arguments: [
            ("postgres://u@h:5432/d", DatabaseURL.Engine.postgres), ("postgresql:///d", .postgres),
            ("mysql://h/d", .mysql), ("mariadb://h/d", .mysql),
        ])
    func servers(_ url: String, _ engine: DatabaseURL.Engine) throws {
        #expect(try DatabaseURL(url).engine == engine)
    }

    @Test(
        "a database URL that names nothing is refused",
        arguments: [
            (
                "app.db",
                """
                expected a URL that begins with sqlite:, postgres:, postgresql:, mysql: or mariadb:
                hint: Write a path as in sqlite:app.db.
                """
            ),
            (
                "/data/a:b",
                """
                expected a URL that begins with sqlite:, postgres:, postgresql:, mysql: or mariadb:
                hint: Write a path as in sqlite:app.db.
                """
            ),
            ("sqlite:", "the path is missing\nhint: Write sqlite:PATH."),
            ("sqlite://", "the path is missing\nhint: Write sqlite:PATH."),
            ("sqllite:a", "unknown scheme 'sqllite:'\nhint: Did you mean 'sqlite:'?"),
            (
                "oracle:a",
                """
                unknown scheme 'oracle:'
                hint: Known are sqlite:, postgres:, postgresql:, mysql: and mariadb:.
                """
            ),
            (
                "postgres:d",
                """
                expected '//' behind 'postgres:'
                hint: Write postgres://user@host:port/database.
                """
            ),
        ])
    func refusals(_ url: String, _ message: String) {
        let failure = #expect(throws: Failure.self) { try DatabaseURL(url) }
        #expect(failure?.description == message)
    }
}

struct StoreURLTests {
    @Test("a folder's path is what stands behind the colon")
    func folder() throws {
        #expect(try StoreURL("file:out").location == "out")
        #expect(try StoreURL("file:///srv/out").location == "/srv/out")
        #expect(try StoreURL("file:out").service == .folder)
    }

    @Test(
        "other stores are recognised by their scheme",
        arguments: [
            ("s3://b/p?region=x", StoreURL.Service.s3), ("gs://b/p", .gcs), ("http://h/p", .http),
            ("https://h/p", .http),
        ])
    func services(_ url: String, _ service: StoreURL.Service) throws {
        #expect(try StoreURL(url).service == service)
    }

    @Test("date and time are those of the start, in UTC")
    func placeholders() throws {
        let url = try StoreURL("file:/b/{date}/x-{time}-{date}/{}{1}{")
        #expect(url.location(at: 1_769_903_999) == "/b/2026-01-31/x-235959-2026-01-31/{}{1}{")
        #expect(try StoreURL("file:/b/plain").location(at: 0) == "/b/plain")
    }

    @Test(
        "a store URL that names nothing is refused",
        arguments: [
            (
                "out",
                """
                expected a URL that begins with file:, s3:, gs:, http: or https:
                hint: Write a path as in file:out.
                """
            ),
            ("file:", "the path is missing\nhint: Write file:PATH."),
            ("fiel:x", "unknown scheme 'fiel:'\nhint: Did you mean 'file:'?"),
            ("s3:bucket", "expected '//' behind 's3:'\nhint: Write s3://bucket/prefix."),
            ("http:x", "expected '//' behind 'http:'\nhint: Write http://host/prefix."),
            ("file:b/{dat}", "unknown placeholder '{dat}'\nhint: Did you mean '{date}'?"),
            (
                "file:b/{host}",
                "unknown placeholder '{host}'\nhint: Known are '{date}' and '{time}'."
            ),
        ])
    func refusals(_ url: String, _ message: String) {
        let failure = #expect(throws: Failure.self) { try StoreURL(url) }
        #expect(failure?.description == message)
    }

    @Test("prune looks at the folder before the first placeholder, for what the URL can have made")
    func splitting() throws {
        let split = try StoreURL("file:/b/app-{date}/x/").splitAtPlaceholder()
        #expect(split?.base == "/b")
        #expect(split?.pattern == "app-{date}/x")
        #expect(try StoreURL("file:{date}").splitAtPlaceholder()?.base == ".")
        #expect(try StoreURL("file:/{date}").splitAtPlaceholder()?.base == "/")
        #expect(try StoreURL("file:/b/app").splitAtPlaceholder() == nil)
        let bucket = try StoreURL("s3://b/x/app-{date}?region=r").splitAtPlaceholder()
        #expect(bucket?.base == "s3://b/x?region=r")
        #expect(bucket?.pattern == "app-{date}")
        #expect(try StoreURL("file:a?{date}").splitAtPlaceholder()?.pattern == "a?{date}")
    }

    @Test(
        "only digits in the right places stand for a placeholder",
        arguments: [
            ("app-2026-01-31/dataset.json", true), ("app-2026-01-31", false),
            ("app-2026-01-31x/dataset.json", false), ("app-2026-1-31/dataset.json", false),
            ("other/dataset.json", false), ("app-{date}/dataset.json", false),
            ("app-2026-01-31/sub/dataset.json", true),
        ])
    func dated(_ key: String, _ isOurs: Bool) {
        #expect(DatedStore.matches(Array(key.utf8), Array("app-{date}/".utf8)) == isOurs)
    }

    @Test("a time is six digits")
    func timed() {
        #expect(DatedStore.matches(Array("235959/x".utf8), Array("{time}/".utf8)))
        #expect(!DatedStore.matches(Array("23595/x".utf8), Array("{time}/".utf8)))
    }
}

struct RedactionTests {
    @Test(
        "a password in a URL is never shown",
        arguments: [
            ("postgres://u:secret@h:5432/d", "postgres://u:***@h:5432/d"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("postgres://h:5432/d", "postgres://h:5432/d"),
            ("postgres://u:se@cret@h/d", "postgres://u:***@h/d"),
            ("postgres://u:se/cret@h/d", "postgres://u:***@h/d"),
            ("postgres://u:se?cret@h/d", "postgres://u:***@h/d"),
            ("postgres://u:se#cret@h/d", "postgres://u:***@h/d"),
            ("postgres://u:5432/secret@h/d", "postgres://u:***@h/d"),
            ("http://h/a@b", "http://h/a@b"),
            ("postgres://h/d?user=u&password=secret", "postgres://h/d?user=u&password=***"),
            ("s3://b/p?secret_access_key=abc&region=x", "s3://b/p?secret_access_key=***&region=x"),
            ("https://u:p@h/x?X-Amz-Signature=abc", "https://u:***@h/x?X-Amz-Signature=***"),
            ("odd://u:secret@\u{301}h/d", "odd://u:***@\u{301}h/d"),
            ("sqlite:///a:b@c", "sqlite:///a:b@c"),
            ("sqlite:a:b@c?password=1", "sqlite:a:b@c?password=1"),
            ("plain", "plain"),
        ])
    func passwords(_ url: String, _ shown: String) {
        #expect(Redaction.redacted(url) == shown)
    }

    @Test("what a message repeats has no control characters and an end")
    func shown() {
        #expect(Redaction.shown("a\u{1B}[31m\n\u{202E}b") == "a\\u{1b}[31m\\u{a}\\u{202e}b")
        let long = Redaction.shown(String(repeating: "x", count: 500))
        #expect(long == String(repeating: "x", count: 100) + "…")
    }
}
