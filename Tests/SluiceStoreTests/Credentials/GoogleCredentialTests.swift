import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceStore

@Suite("Google credentials")
struct GoogleCredentialTests {
    private static let answer = FakeSender.Reply.text(
        #"{"access_token":"t0ken","expires_in":3599,"token_type":"Bearer"}"#)
    private static let flavour = [HTTPHeader("metadata-flavor", "Google")]

    private func find(
        _ variables: [String: String] = [:], home: String = "/nonexistent",
        sender: FakeSender = FakeSender(), metadata: FakeSender = FakeSender()
    ) throws(Failure) -> GoogleToken {
        try GoogleCredentials(
            sender: sender, metadata: metadata, surroundings: surroundings(variables, home: home)
        ).current()
    }

    private func refusal(
        _ variables: [String: String] = [:], _ replies: [FakeSender.Reply] = [],
        metadata: [FakeSender.Reply] = []
    ) -> String? {
        failure { () throws(Failure) in
            try find(variables, sender: FakeSender(replies), metadata: FakeSender(metadata))
        }?.description
    }

    @Test("come from the environment first")
    func environment() throws {
        let found = try find(["CLOUDSDK_AUTH_ACCESS_TOKEN": "b"])
        #expect(found == GoogleToken(text: "b", origin: "CLOUDSDK_AUTH_ACCESS_TOKEN"))
        #expect(found.header == HTTPHeader("Authorization", "Bearer b"))
        #expect(
            try find(["CLOUDSDK_AUTH_ACCESS_TOKEN": "b", "GOOGLE_OAUTH_ACCESS_TOKEN": "s3cret"])
                .text == "s3cret")
        #expect("\(found)" == "an access token from CLOUDSDK_AUTH_ACCESS_TOKEN")
        var dumped = ""
        dump(GoogleToken(text: "s3cret", origin: "x"), to: &dumped)
        #expect(!dumped.contains("s3cret"))
        #expect(
            refusal(["GOOGLE_OAUTH_ACCESS_TOKEN": "a b"]) == """
                GOOGLE_OAUTH_ACCESS_TOKEN is not an access token
                hint: Let gcloud auth print-access-token print one.
                """)
    }

    @Test("name every place where there were none")
    func nowhere() {
        func text(_ last: String) -> String {
            """
            no Google credentials were found: neither GOOGLE_OAUTH_ACCESS_TOKEN nor \
            CLOUDSDK_AUTH_ACCESS_TOKEN is set; GOOGLE_APPLICATION_CREDENTIALS is not set; \
            /nonexistent/.config/gcloud/application_default_credentials.json is not there; \(last)
            hint: Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run gcloud auth \
            application-default login.
            """
        }
        let server = "the metadata server at metadata.google.internal"
        #expect(refusal() == text("\(server) does not answer"))
        #expect(refusal(["NO_GCE_CHECK": "true"]) == text("NO_GCE_CHECK is set"))
        #expect(
            refusal(metadata: [Self.answer])
                == text("metadata.google.internal is not a metadata server"))
        #expect(
            refusal(metadata: [.text("", status: 404, headers: Self.flavour)])
                == text("\(server) knows no service account"))
        #expect(
            refusal(["GOOGLE_APPLICATION_CREDENTIALS": "/nonexistent/key.json"]) == """
                GOOGLE_APPLICATION_CREDENTIALS names /nonexistent/key.json, which is not there
                hint: Correct the path, or unset the variable.
                """)
    }

    @Test("come from the metadata server of Google's machines")
    func metadata() throws {
        var reply = Self.answer
        reply.headers = Self.flavour
        let sender = FakeSender([reply])
        let found = try find(["GCE_METADATA_HOST": "127.0.0.1:8"], metadata: sender)
        #expect(
            found
                == GoogleToken(
                    text: "t0ken", expiry: 1_700_003_599,
                    origin: "the metadata server at 127.0.0.1:8"))
        #expect(
            sender.asked.map(\.line) == [
                "GET http://127.0.0.1:8/computeMetadata/v1/instance/service-accounts/default/token"
            ])
        #expect(sender.asked[0]["Metadata-Flavor"] == "Google")
        let server = "the metadata server at metadata.google.internal"
        #expect(
            refusal(metadata: [.text("", status: 503, headers: Self.flavour)]) == """
                \(server) gives no access token [503]
                hint: Does this machine have a service account?
                """)
        for (body, what) in [
            ("s3cret", "did not give JSON: unexpected text at byte 0 of the JSON text"),
            ("{}", "did not give an access token"),
            (#"{"access_token":"a\nb"}"#, "did not give an access token"),
            (#"{"access_token":"a"}"#, "did not say when the access token ends"),
            (
                #"{"access_token":"a","expires_in":9223372036854775807}"#,
                "did not say when the access token ends"
            ),
        ] {
            #expect(refusal(metadata: [.text(body, headers: Self.flavour)]) == "\(server) \(what)")
        }
    }

    @Test("come from the file that gcloud writes for a user")
    func user() throws {
        let scratch = try ScratchFolder()
        try scratch.makeFolder(".config")
        try scratch.makeFolder(".config/gcloud")
        let name = "application_default_credentials.json"
        let text = """
            {"type":"authorized_user","client_id":"i d","client_secret":"s/","refresh_token":"r+"}
            """
        try scratch.write(text, to: ".config/gcloud/\(name)")
        try scratch.write(text, to: name)
        for (variables, path) in [
            ([:], scratch.path(".config/gcloud/\(name)")),
            (["CLOUDSDK_CONFIG": scratch.path], scratch.path(name)),
        ] {
            let sender = FakeSender([Self.answer])
            let found = try find(variables, home: scratch.path, sender: sender)
            #expect(
                found
                    == GoogleToken(
                        text: "t0ken", expiry: 1_700_003_599,
                        origin: "the user credentials in \(path)"))
            #expect(sender.asked.map(\.line) == ["POST https://oauth2.googleapis.com/token"])
            #expect(sender.asked[0]["Content-Type"] == "application/x-www-form-urlencoded")
            #expect(
                sender.asked[0].text
                    == "grant_type=refresh_token&client_id=i%20d&client_secret=s%2F"
                    + "&refresh_token=r%2B")
        }
    }

    private func key(_ members: String) throws -> (ScratchFolder, [String: String]) {
        let scratch = try ScratchFolder()
        try scratch.write(members, to: "key.json")
        return (scratch, ["GOOGLE_APPLICATION_CREDENTIALS": scratch.path("key.json")])
    }

    private func account(_ token: String = "https://oauth2.googleapis.com/token") -> String {
        let key = JSON.string(TestKey.pem).compact
        return """
            {"type":"service_account","project_id":"p","private_key_id":"k1","private_key":\(key),\
            "client_email":"mover@p.iam.gserviceaccount.com","token_uri":"\(token)"}
            """
    }

    @Test("come from a service account, which vouches for itself in a signed token")
    func serviceAccount() throws {
        let (scratch, variables) = try key(account())
        let sender = FakeSender([Self.answer])
        let found = try find(variables, sender: sender)
        #expect(
            found.origin
                == "mover@p.iam.gserviceaccount.com in \(scratch.path("key.json"))")
        let body = sender.asked[0].text
        let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
        #expect(body.hasPrefix(start))
        let parts = body.dropFirst(start.count).split(separator: ".")
        #expect(parts.count == 3)
        #expect(
            TestKey.text(parts[0]) == #"{"alg":"RS256","typ":"JWT","kid":"k1"}"#)
        #expect(
            TestKey.text(parts[1])
                == #"{"iss":"mover@p.iam.gserviceaccount.com","#
                + #""scope":"https://www.googleapis.com/auth/devstorage.read_write","#
                + #""aud":"https://oauth2.googleapis.com/token","iat":1700000000,"exp":1700003600}"#
        )
        #expect(TestKey.verifies(parts[2], of: "\(parts[0]).\(parts[1])"))
        #expect(!TestKey.verifies(parts[2], of: "\(parts[0]).\(parts[0])"))
    }

    @Test("are refused by a file that is none of Google's")
    func badFiles() throws {
        let hint = "\nhint: It should be a key file as Google gives it."
        for (text, what) in [
            ("s3cret", "is not JSON: unexpected text at byte 0 of the JSON text" + hint),
            ("{}", "has no \"type\"" + hint),
            (#"{"type":"service_account"}"#, "has no \"client_email\"" + hint),
            (#"{"type":"authorized_user","client_id":"a"}"#, "has no \"client_secret\"" + hint),
            (
                #"{"type":"external_account"}"#,
                "holds credentials of a type that sluice does not know\nhint: Known are "
                    + "service_account and authorized_user; for others put an access token into "
                    + "GOOGLE_OAUTH_ACCESS_TOKEN."
            ),
            (
                account("http://example.com/"),
                "has a \"token_uri\" that is not https\nhint: Download the key file again."
            ),
        ] {
            let (scratch, variables) = try key(text)
            #expect(refusal(variables) == "\(scratch.path("key.json")) \(what)")
        }
        let broken = #"{"type":"service_account","client_email":"a","private_key":"s3cret"}"#
        let (scratch, variables) = try key(broken)
        #expect(
            refusal(variables) == """
                the private key is not one in PEM without a passphrase
                  while reading \(scratch.path("key.json"))
                hint: Download the key file again.
                """)
    }

    @Test("are refused by Google in words that say what to do")
    func refusals() throws {
        let (scratch, variables) = try key(account())
        let origin = "mover@p.iam.gserviceaccount.com in \(scratch.path("key.json"))"
        let none = "Google gives no access token for \(origin)"
        #expect(
            refusal(variables, [.text(#"{"error":"invalid_grant"}"#, status: 400)]) == """
                \(none) [400 invalid_grant]
                hint: Does the key still exist, and is the clock of this machine right?
                """)
        #expect(
            refusal(variables, [.text(#"{"error":"s3cret"}"#, status: 401)]) == """
                \(none) [401]
                hint: Does the service account still exist and have this key?
                """)
        #expect(
            refusal(variables, [.text("", status: 503)]) == """
                \(none) [503]
                hint: Google's token endpoint is not well; try later.
                """)
        #expect(
            refusal(variables) == """
                nobody answers
                  while asking for an access token for \(origin)
                """)
        let (folder, user) = try key(
            #"{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}"#)
        #expect(
            refusal(user, [.text(#"{"error":"invalid_grant"}"#, status: 400)]) == """
                Google gives no access token for the user credentials in \
                \(folder.path("key.json")) [400 invalid_grant]
                hint: Run gcloud auth application-default login again.
                """)
    }

    @Test("are replaced before they end, and when they were refused")
    func replaced() throws {
        let now = Monitor(1_700_000_000)
        let tokens = (1...4).map {
            FakeSender.Reply.text(#"{"access_token":"t\#($0)","expires_in":3600}"#)
        }
        let (_, variables) = try key(account())
        let (scratch, _) = try key(account())
        var around = surroundings(
            variables.mapValues { _ in scratch.path("key.json") })
        around.now = { now.read { $0 } }
        let credentials = GoogleCredentials(
            sender: FakeSender(tokens), metadata: FakeSender(), surroundings: around)
        #expect(try credentials.current().text == "t1")
        now.change { $0 += 3374 }
        #expect(try credentials.current().text == "t1")
        now.change { $0 += 1 }
        let second = try credentials.current()
        #expect(second.text == "t2")
        credentials.reject(second)
        #expect(try credentials.current().text == "t3")
    }
}
