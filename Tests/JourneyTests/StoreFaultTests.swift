import TestSupport
import Testing

/// A store that fails now and then, or is away, costs time and nothing else.
@Suite("A store that fails")
struct StoreFaultTests {
    static let servers: [RealServer] = [.seaweedFS, .nginx, .gcs]

    private func shardCount(_ result: Program.Result) -> Int? {
        guard let range = result.text.firstRange(of: "\"shards\":") else { return nil }
        return Int(result.text[range.upperBound...].prefix { $0.isNumber })
    }

    /// Credentials that can be fetched anew when the store says that their time is over.
    private func letCredentialsBeFetched(_ store: StorePlace) throws {
        guard store.server.kind == .s3 else { return }
        try store.place.write(
            """
            {"Version": 1, "AccessKeyId": "\(try RealServer.setting("SLUICE_TEST_S3_KEY"))",
             "SecretAccessKey": "\(try RealServer.setting("SLUICE_TEST_S3_SECRET"))"}
            """, to: "credentials.json")
        try store.place.write(
            "[default]\ncredential_process = cat '\(store.place["credentials.json"])'\n",
            to: "config")
        store.setEnvironment([
            "AWS_CONFIG_FILE": store.place["config"], "AWS_EC2_METADATA_DISABLED": "true",
        ])
    }

    @Test("one request in five, of 500 shards, does not change what arrives", arguments: servers)
    func oneInFive(_ server: RealServer) throws {
        let seed = UInt64.random(in: 0...999_999)
        let faults = server.kind == .s3 ? FlakyProxy.Fault.allCases : FlakyProxy.Fault.common
        let proxy = try FlakyProxy(try server.address, faults: faults, seed: seed)
        let store = try StorePlace(server, at: proxy.url)
        try letCredentialsBeFetched(store)
        try store.makeRows("a.db", 33_000)
        let result = try store.run([
            "run", "--source", "sqlite:a.db", "--store", store.url, "--target", "sqlite:b.db",
            "--shard-bytes", "1KiB", "--lanes", "8", "--output", "json",
        ])
        #expect(result.code == 0, "seed \(seed): \(result.errorText)")
        #expect(try #require(shardCount(result)) >= 500, "seed \(seed)")
        try store.place.expectEqual("a.db", "b.db")
        #expect(proxy.faults.count > 100)
        #expect(Set(proxy.faults) == Set(faults), "seed \(seed)")
    }

    @Test("for good ends with 5, and the same command finishes later", arguments: servers)
    func down(_ server: RealServer) throws {
        let proxy = try FlakyProxy(try server.address, oneIn: 0, seed: 0)
        let store = try StorePlace(server, at: proxy.url)
        try store.makeRows("a.db", 2000)
        let command = [
            "run", "--source", "sqlite:a.db", "--store", store.url, "--target", "sqlite:b.db",
            "--shard-bytes", "1KiB",
        ]
        // Away from the beginning, then in the middle.
        for requestCount in [0, 60] {
            proxy.goDown(after: requestCount)
            let result = try store.run(command)
            #expect(result.code == 5, "\(result.errorText)")
        }
        proxy.comeBack()
        let result = try store.run(command)
        #expect(result.code == 0, "\(result.errorText)")
        try store.place.expectEqual("a.db", "b.db")
    }
}
