import Glibc
import TestSupport
import Testing

/// How a store is reached: through a proxy, with a certificate, with a signature.
@Suite("A store is reached")
struct StoreAccessTests {
    @Test("with a certificate that shows who we are")
    func clientCertificate() throws {
        let store = try StorePlace(.nginxTLS)
        try store.makeRows("a.db", 10)
        let certificate = try RealServer.setting("SLUICE_TEST_CERTIFICATE")
        let key = try RealServer.setting("SLUICE_TEST_CERTIFICATE_KEY")
        let host = try RealServer.setting("SLUICE_TEST_HTTPS_CLIENTS")
        store.setEnvironment([:])
        let arguments = [
            "export", "--source", "sqlite:a.db", "--store", "\(host)/\(store.prefix)", "--quiet",
            "--ca-bundle", certificate,
        ]
        let refused = try store.run(arguments)
        #expect(refused.code == 1)
        let place = "\(host)/\(store.prefix)"
        #expect(
            refused.errorText == """
                sluice: \(host) cannot read \(place)/dataset.json [400]
                hint: Does it want to see a certificate? Give --client-certificate.

                """)
        let shown = try store.run(
            arguments + ["--client-certificate", certificate, "--client-key", key])
        #expect(shown.code == 0, "\(shown.errorText)")
    }

    @Test("to read a finished dataset with a signature that opens nothing else")
    func signature() throws {
        let store = try StorePlace(.nginx)
        try store.makeRows("a.db", 1000)
        let host = try RealServer.nginx.address
        try store.succeed(
            "export", "--source", "sqlite:a.db", "--store", "\(host)/plain/\(store.prefix)")
        let url = "\(host)/signed/\(store.prefix)"
        let signed = "\(url)?signature=\(try RealServer.setting("SLUICE_TEST_HTTP_PASSWORD"))"
        let ends = ["--store", signed, "--target", "sqlite:b.db"]
        for command in [["load", "--trust-schema"], ["verify"]] {
            let result = try store.run(command + ends)
            #expect(result.code == 0, "\(result.errorText)")
        }
        try store.place.expectEqual("a.db", "b.db")
        let status = try store.run(["status", "--store", signed])
        #expect(status.code == 0, "\(status.errorText)")
        let refused = try store.run(["load", "--store", url, "--target", "sqlite:c.db"])
        #expect(refused.code == 1)
        #expect(
            refused.errorText == """
                sluice: \(host) does not allow to read \(url)/dataset.json [403]
                hint: Give the user that right, or use another user.

                """)
    }

    @Test("through the proxy that the environment names, unless it is left out")
    func proxy() throws {
        let proxy = try ScriptedServer { _ in ScriptedAnswer(404) }
        let place = try Workspace()
        place.sluice.environment = [
            "http_proxy": proxy.url, "no_proxy": "127.0.0.1", "PATH": "/usr/bin:/bin",
        ]
        let url = "http://store.example.com/shop"
        let result = try place.run(["inspect", "--store", url, "--quiet"])
        #expect(result.code == 1)
        #expect(
            result.errorText == """
                sluice: there is no dataset in \(url)
                hint: Is the store's URL right? sluice export makes a dataset.

                """)
        #expect(proxy.requests.map(\.path) == ["\(url)/dataset.json"])
        let other = try ScriptedServer { _ in ScriptedAnswer(404) }
        _ = try place.run(["inspect", "--store", "\(other.url)/shop", "--quiet"])
        #expect(other.requests.map(\.path) == ["/shop/dataset.json"])
        #expect(proxy.requests.count == 1)
    }
}
