import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("AWS credentials of machines")
struct AWSEndpointTests {
    private static let keys = """
        {"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t",\
        "Expiration":"2030-01-01T00:00:00Z"}
        """

    private func find(
        _ variables: [String: String], _ sender: FakeSender
    ) throws(Failure) -> AWSCredentials {
        try AWSCredentialChain(sender: sender, surroundings: surroundings(variables)).current()
    }

    private func refusal(_ variables: [String: String], _ replies: [FakeSender.Reply]) -> String? {
        failure { () throws(Failure) in try find(variables, FakeSender(replies)) }?.description
    }

    @Test("come from the endpoint of a container, shown its token")
    func container() throws {
        let sender = FakeSender([.text(Self.keys)])
        let found = try find(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"], sender)
        #expect(
            found
                == AWSCredentials(
                    keyID: "ASIA", secret: "s", sessionToken: "t", expiry: 1_893_456_000,
                    origin: "the container endpoint at 169.254.170.2"))
        #expect(sender.asked.map(\.line) == ["GET http://169.254.170.2/v2/x"])
        #expect(sender.asked[0]["Authorization"] == nil)
        let scratch = try ScratchFolder()
        try scratch.write("from-file\n", to: "token")
        let full = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:81/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "from-variable",
        ]
        let second = FakeSender([.text(Self.keys), .text(Self.keys)])
        #expect(try find(full, second).origin == "the container endpoint at 127.0.0.1:81")
        _ = try find(
            full.merging(
                ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": scratch.path("token")]) { $1 }, second)
        #expect(second.asked.map { $0["authorization"] } == ["from-variable", "from-file"])
    }

    @Test("are not asked of a container's endpoint in the open, or with a broken token")
    func badContainer() throws {
        let path = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
        let whole = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
        for url in [
            "http://example.com/x", "ftp://localhost/", "http://127.example.com/",
            "http://localhost@example.com/", "http://", "http://127.0.0.1.example.com/",
        ] {
            #expect(
                refusal([whole: url], []) == """
                    AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor a local address
                    hint: Keys are not asked for over an open network; use https.
                    """)
        }
        #expect(
            refusal([path: "x"], []) == """
                AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash
                hint: It is a path that the container's agent gives; unset it otherwise.
                """)
        #expect(
            refusal([path: "/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\nb"], []) == """
                AWS_CONTAINER_AUTHORIZATION_TOKEN is not one line of printable ASCII
                hint: It should hold a token and nothing else.
                """)
        #expect(
            refusal([path: "/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent/t"], [])
                == """
                AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names /nonexistent/t, which is not there
                hint: Correct the path, or unset the variable.
                """)
        #expect(
            refusal([path: "/x"], [.text("", status: 404)]) == """
                the container endpoint at 169.254.170.2 gives no AWS credentials [404]
                hint: Does this container have a role?
                """)
        #expect(
            refusal([path: "/x"], [.text("[]")]) == """
                the container endpoint at 169.254.170.2 did not give "AccessKeyId"
                hint: Does this machine or container have a role?
                """)
        let down = failure { () throws(Failure) in try find([path: "/x"], FakeSender()) }
        #expect(
            down?.description == """
                nobody answers
                  while asking the container endpoint at 169.254.170.2 for AWS credentials
                """)
        #expect(down?.isTransient == true)
    }

    @Test(
        "are asked without encryption of near hosts only",
        arguments: [
            ("http://localhost/x", "localhost"), ("http://[::1]:80/x", "[::1]:80"),
            ("http://127.8.9.1:1", "127.8.9.1:1"), ("http://169.254.170.23/v1", "169.254.170.23"),
            ("http://[fd00:ec2::23]/v1", "[fd00:ec2::23]"), ("https://a.b/c?d", "a.b"),
        ])
    func nearHosts(_ url: String, _ host: String) {
        #expect(CredentialURL.host(of: url) == host)
    }

    @Test("come from the metadata of an instance, with a token first")
    func instance() throws {
        let sender = FakeSender([.text("t0ken"), .text("my-role\n"), .text(Self.keys)])
        let found = try find([:], sender)
        #expect(found.keyID == "ASIA")
        #expect(found.origin == "the instance metadata service at http://169.254.169.254")
        let path = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"
        #expect(
            sender.asked.map(\.line) == [
                "PUT http://169.254.169.254/latest/api/token", "GET \(path)", "GET \(path)my-role",
            ])
        #expect(sender.asked[0]["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
        #expect(sender.asked[1]["x-aws-ec2-metadata-token"] == "t0ken")
        #expect(sender.asked[2]["x-aws-ec2-metadata-token"] == "t0ken")
        for (variables, host) in [
            (["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9/"], "http://127.0.0.1:9"),
            (["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"], "http://[fd00:ec2::254]"),
        ] {
            let sender = FakeSender([.text("t"), .text("r"), .text(Self.keys)])
            _ = try find(variables, sender)
            #expect(sender.asked.first?.line == "PUT \(host)/latest/api/token")
        }
    }

    @Test("are missed where an instance gives none, in words that say so")
    func badInstance() {
        let origin = "the instance metadata service at http://169.254.169.254"
        let none = "no AWS credentials were found: "
        let hint = "\nhint: Set AWS_EC2_METADATA_DISABLED=true if this is not an EC2 instance."
        func last(_ replies: [FakeSender.Reply]) -> String? {
            let text = refusal([:], replies)
            guard let text, text.hasPrefix(none) else { return text }
            return text.split(separator: "\n")[0].split(separator: ";").last.map {
                String($0.dropFirst())
            }
        }
        #expect(last([.text("", status: 403)]) == "\(origin) is switched off")
        #expect(
            last([.text("t"), .text("", status: 404)]) == "\(origin) knows no role of this instance"
        )
        #expect(last([.text("", status: 500)]) == "\(origin) does not give a token [500]" + hint)
        #expect(
            last([.text("t"), .text("", status: 401)]) == "\(origin) does not give a role [401]"
                + hint)
        #expect(
            last([.text("t"), .text("r"), .text("", status: 503)])
                == "\(origin) does not give credentials [503]" + hint)
        #expect(
            last([.text("a\nb")])
                == "\(origin) gave a token that is not one line of printable ASCII")
        #expect(last([.text("t"), .text("../x")]) == "\(origin) gave a role that is not a name")
        #expect(
            last([.text("t"), .text("r"), .text("{\"Code\":\"Failed\"}")])
                == "\(origin) has no credentials to give\nhint: Does this machine or container "
                + "have a role?")
        #expect(
            last([.text("t"), .noAnswer])
                == "nobody answers\n  while asking \(origin)")
        #expect(
            refusal(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "169.254.169.254"], []) == """
                AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http URL
                hint: Write http://169.254.169.254, or unset the variable.
                """)
    }

    @Test("are replaced in a long run, and an instance that is silent then is not taken for none")
    func longRun() throws {
        let now = Monitor(1_893_456_000 - 3600)
        let newer = Self.keys.split(separator: "2030-01-01T00").joined(separator: "2030-01-01T06")
        let sender = FakeSender([
            .text("t"), .text("r"), .text(Self.keys), .text("t"), .text("r"), .text(newer),
        ])
        var surroundings = surroundings()
        surroundings.now = { now.read { $0 } }
        let chain = AWSCredentialChain(sender: sender, surroundings: surroundings)
        #expect(try chain.current().expiry == 1_893_456_000)
        now.change { $0 += 3200 }
        #expect(try chain.current().expiry == 1_893_456_000)
        now.change { $0 += 200 }
        #expect(try chain.current().expiry == 1_893_456_000 + 6 * 3600)
        now.change { $0 += 7 * 3600 }
        let silent = failure { () throws(Failure) in try chain.current() }
        #expect(silent?.message == "nobody answers")
        #expect(silent?.isTransient == true)
    }

    @Test("are looked for again when a store has refused them")
    func rejected() throws {
        let sender = FakeSender([
            .text("t"), .text("r"), .text(Self.keys), .text("t"), .text("r"),
            .text(Self.keys.split(separator: "ASIA").joined(separator: "ASIB")),
        ])
        let chain = AWSCredentialChain(sender: sender, surroundings: surroundings())
        let first = try chain.current()
        chain.reject(first)
        #expect(try chain.current().keyID == "ASIB")
        chain.reject(first)
        #expect(try chain.current().keyID == "ASIB")
    }
}
