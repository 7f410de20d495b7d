import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

/// The same as with a fake sender, once over a real connection each.
@Suite("Credentials over the wire")
struct CredentialWireTests {
    @Test("come from the metadata of an instance")
    func instance() throws {
        let server = try ScriptedServer([
            ScriptedAnswer(200, text: "t0ken"), ScriptedAnswer(200, text: "role"),
            ScriptedAnswer(
                200, text: #"{"AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t"}"#),
        ])
        let chain = AWSCredentialChain(
            sender: HTTPClient(options: .near),
            surroundings: surroundings(["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url]))
        #expect(try chain.current().keyID == "ASIA")
        #expect(
            server.requests.map { "\($0.method) \($0.path)" } == [
                "PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                "GET /latest/meta-data/iam/security-credentials/role",
            ])
        #expect(server.requests.map(\.bodyByteCount) == [0, 0, 0])
        #expect(server.requests[2]["X-aws-ec2-metadata-token"] == "t0ken")
    }

    @Test("come from a container's endpoint, shown its token")
    func container() throws {
        let server = try ScriptedServer([
            ScriptedAnswer(200, text: #"{"AccessKeyId":"ASIA","SecretAccessKey":"s"}"#)
        ])
        let chain = AWSCredentialChain(
            sender: HTTPClient(options: .near),
            surroundings: surroundings([
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(server.url)/x?y",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "t0ken",
            ]))
        #expect(try chain.current().keyID == "ASIA")
        #expect(server.requests[0]["Authorization"] == "t0ken")
    }

    @Test("are not found where nobody listens, and that is known at once")
    func nobody() throws {
        let url = try ScriptedServer([]).url
        let chain = AWSCredentialChain(
            sender: HTTPClient(options: .near),
            surroundings: surroundings(["AWS_EC2_METADATA_SERVICE_ENDPOINT": url]))
        let found = failure { () throws(Failure) in try chain.current() }
        #expect(found?.kind == .usage)
        #expect(
            found?.message.hasSuffix("the instance metadata service at \(url) does not answer")
                == true)
    }

    @Test("of Google come from the metadata server, and from its token endpoint")
    func google() throws {
        let token = #"{"access_token":"t0ken","expires_in":3600}"#
        let metadata = try ScriptedServer([
            ScriptedAnswer(200, headers: [("Metadata-Flavor", "Google")], text: token)
        ])
        let host = String(metadata.url.dropFirst("http://".count))
        func credentials(_ variables: [String: String]) -> GoogleCredentials {
            GoogleCredentials(
                sender: HTTPClient(), metadata: HTTPClient(options: .near),
                surroundings: surroundings(variables))
        }
        #expect(try credentials(["GCE_METADATA_HOST": host]).current().text == "t0ken")
        #expect(metadata.requests[0]["metadata-flavor"] == "Google")
        let endpoint = try ScriptedServer([ScriptedAnswer(200, text: token)])
        let scratch = try ScratchFolder()
        let key = JSON.string(TestKey.pem).compact
        try scratch.write(
            """
            {"type":"service_account","private_key":\(key),"client_email":"mover@p",\
            "token_uri":"\(endpoint.url)/token"}
            """, to: "key.json")
        let path = scratch.path("key.json")
        let found = try credentials(["GOOGLE_APPLICATION_CREDENTIALS": path]).current()
        #expect(found.text == "t0ken")
        let asked = endpoint.requests[0]
        #expect(asked["Content-Type"] == "application/x-www-form-urlencoded")
        let signed = asked.text.split(separator: "assertion=").last?.split(separator: ".") ?? []
        #expect(signed.count == 3)
        #expect(TestKey.verifies(signed[2], of: "\(signed[0]).\(signed[1])"))
    }
}
