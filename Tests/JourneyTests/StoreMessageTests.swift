import Glibc
import TestSupport
import Testing

/// What can be wrong about a store is said once, with its cause and its remedy, and never with a secret.
@Suite("A store that cannot be used")
struct StoreMessageTests {
    /// Exports to the store of the server, or to another one, and expects exactly this.
    private func expect(
        _ errors: String, _ server: RealServer, code: Int32 = 1, url: String? = nil,
        environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let store = try StorePlace(server)
        try store.makeRows("a.db", 10)
        store.setEnvironment(
            try server.environment.merging(environment) { $1 }.filter { !$0.value.isEmpty })
        let result = try store.run(
            ["export", "--source", "sqlite:a.db", "--store", url ?? store.url, "--quiet"])
        // A second may pass between an answer and the look at it.
        let text = result.errorText.replacing("1201 s", with: "1200 s")
            .replacing("1199 s", with: "1200 s")
        #expect(text == errors, sourceLocation: sourceLocation)
        #expect(result.code == code, sourceLocation: sourceLocation)
        #expect(result.text == "", sourceLocation: sourceLocation)
        for secret in environment.values where secret.hasPrefix("wrong") {
            #expect(!result.errorText.contains(secret), sourceLocation: sourceLocation)
        }
    }

    @Test("names a wrong key, and a secret of another key")
    func wrongKey() throws {
        let host = try RealServer.seaweedFS.address
        try expect(
            """
            sluice: \(host) does not know the access key from AWS_ACCESS_KEY_ID [InvalidAccessKeyId]
            hint: Are these the credentials of this store?

            """, .seaweedFS, environment: ["AWS_ACCESS_KEY_ID": "nobody"])
        try expect(
            """
            sluice: the secret from AWS_ACCESS_KEY_ID does not belong to its access key [SignatureDoesNotMatch]
            hint: Was the secret copied whole?

            """, .seaweedFS, environment: ["AWS_SECRET_ACCESS_KEY": "wrong-secret-of-nobody"])
    }

    @Test("names a bucket that is not there")
    func missingBucket() throws {
        let host = try RealServer.seaweedFS.address
        try expect(
            """
            sluice: there is no bucket nothing at \(host) [NoSuchBucket]
            hint: Make the bucket first, or correct the store's URL.

            """, .seaweedFS, url: "s3://nothing/p?endpoint=\(host)")
        try expect(
            """
            sluice: there is no bucket gs://nothing [404]
            hint: Create the bucket, or correct its name in the URL.

            """, .gcs, url: "gs://nothing/p?endpoint=\(try RealServer.gcs.address)")
    }

    @Test("names what may only be read")
    func readOnly() throws {
        try expect(
            """
            sluice: the access key from AWS_ACCESS_KEY_ID may not write s3://sluice/p/lease.json [AccessDenied]
            hint: Give it the right s3:PutObject, or use another key.

            """, .seaweedFS,
            url: "s3://sluice/p?endpoint=\(try RealServer.seaweedFS.address)",
            environment: [
                "AWS_ACCESS_KEY_ID": try RealServer.setting("SLUICE_TEST_S3_READER_KEY"),
                "AWS_SECRET_ACCESS_KEY": try RealServer.setting("SLUICE_TEST_S3_READER_SECRET"),
            ])
        let host = try RealServer.nginx.address
        try expect(
            """
            sluice: \(host) does not know how to write \(host)/read-only/p/lease.json [405]
            hint: Let the server take PUT and DELETE there, or choose another store.

            """, .nginx, url: "\(host)/read-only/p")
    }

    @Test("asks for a password, and says when it is wrong")
    func password() throws {
        let host = try RealServer.nginx.address
        try expect(
            """
            sluice: \(host) asks for a user and a password [401]
            hint: Write them into the store's URL, or give --store-password-command.

            """, .nginx, url: "\(host)/private/p")
        try expect(
            """
            sluice: \(host) does not take this user and password [401]
            hint: Are they the ones of this server?

            """, .nginx,
            url: "http://somebody:wrong-password@\(host.dropFirst("http://".count))/private/p",
            environment: ["UNUSED": "wrong-password"])
    }

    @Test("says that a certificate is not trusted")
    func certificate() throws {
        try expect(
            """
            sluice: the certificate of \(try RealServer.nginxTLS.address) is not trusted
            hint: Give the certificate of its authority with --ca-bundle FILE.

            """, .nginxTLS, environment: ["CURL_CA_BUNDLE": ""])
    }

    @Test("names the region that a bucket is in")
    func region() throws {
        let server = try ScriptedServer { _ in
            .s3(
                400, "AuthorizationHeaderMalformed",
                headers: [("x-amz-bucket-region", "eu-central-1")],
                members: "<Region>eu-central-1</Region>")
        }
        try expect(
            """
            sluice: the bucket sluice is in the region eu-central-1, not in us-east-1 [AuthorizationHeaderMalformed]
            hint: Write region=eu-central-1 in the store's URL.

            """, .seaweedFS, code: 2,
            url: "s3://sluice/p?endpoint=\(server.url)&region=us-east-1")
        #expect(server.requests.count == 1)
    }

    @Test("says by how much a clock is wrong")
    func clock() throws {
        for (difference, words) in [(1200, "1200 s ahead of"), (-1200, "1200 s behind")] {
            let server = try ScriptedServer { _ in
                .s3(
                    403, "RequestTimeTooSkewed",
                    headers: [("Date", Self.date(time(nil) - difference))])
            }
            try expect(
                """
                sluice: the clock of this machine is \(words) \(server.url) [RequestTimeTooSkewed]
                hint: Set the clock; a signature is good for a few minutes only.

                """, .seaweedFS, url: "s3://sluice/p?endpoint=\(server.url)&region=us-east-1")
        }
    }

    /// As HTTP has it, in GMT.
    private static func date(_ seconds: Int) -> String {
        var moment = time_t(seconds)
        var parts = tm()
        gmtime_r(&moment, &parts)
        var text = [CChar](repeating: 0, count: 64)
        strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return text.withUnsafeBufferPointer { text in
            text.baseAddress.map { String(cString: $0) } ?? ""
        }
    }
}
