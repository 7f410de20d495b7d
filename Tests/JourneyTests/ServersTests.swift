import Glibc
import TestSupport
import Testing

/// The servers and the proxy that other tests rely on, tried with a client that nobody here wrote.
@Suite("The tests' servers")
struct ServersTests {
    @Test(
        "give rclone back what it put, through a proxy that breaks nothing",
        arguments: [RealServer.seaweedFS, .rcloneS3])
    func proxyPassesOn(_ server: RealServer) throws {
        let place = try Workspace()
        let remote = try #require(server.remote)
        let name = remote.prefix { $0 != ":" }
        let proxy = try FlakyProxy(try server.address, oneIn: 0, seed: 0)
        let endpoint = "RCLONE_CONFIG_\(name.uppercased())_ENDPOINT"
        var client = Program(path: try RealServer.setting("SLUICE_TEST_RCLONE"))
        client.environment = [
            "RCLONE_CONFIG": try RealServer.setting("RCLONE_CONFIG"), endpoint: proxy.url,
            "HOME": place.path,
        ]
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }
        try place.write(bytes, to: "object")
        let there = "\(remote)/\(RealServer.newPrefix())"
        for arguments in [["copy", place["object"], there], ["copy", there, place["back"]]] {
            let result = try client.run(arguments + ["--retries", "1"])
            #expect(result.code == 0, "\(result.errorText)")
        }
        #expect(try place.read("back/object") == bytes)
        #expect(proxy.requests.contains { $0.method == "PUT" && $0.bodyByteCount == bytes.count })
        #expect(proxy.faults.isEmpty)
    }

    @Test("are named where they are missing")
    func missing() {
        #expect(throws: RealServer.Missing.self) {
            try RealServer.setting("SLUICE_TEST_NO_SUCH_SERVER")
        }
        #expect(
            RealServer.Missing(variable: "SLUICE_TEST_S3").description
                == "SLUICE_TEST_S3 is not set; run scripts/test")
    }

    @Test("end with the command they were started for, and leave nothing behind")
    func end() throws {
        let place = try Workspace()
        // The database servers are another user's, who has to come by.
        chmod(place.path, 0o711)
        let script = Program(path: "/bin/bash")
        let result = try script.run([
            "-c",
            "TMPDIR=\(place.path) \(Workspace.repository)/scripts/servers "
                + "bash -c 'ls -A \(place.path) >&2; echo $SLUICE_TEST_S3; echo $SLUICE_TEST_POSTGRES $SLUICE_TEST_MARIADB; exit 7'",
        ])
        #expect(result.code == 7)
        #expect(result.errorText.hasPrefix("sluice-servers-"), "\(result.errorText)")
        #expect(try place.entries == [])
        let ports = result.text.matches(of: /127\.0\.0\.1:(\d+)/).map(\.1)
        #expect(ports.count == 3, "\(result.text)")
        for port in ports {
            let asked = try script.run(["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port)"])
            #expect(asked.code == 1)
        }
    }
}
