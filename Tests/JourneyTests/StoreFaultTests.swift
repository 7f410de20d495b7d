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
    private static func letCredentialsBeFetched(_ store: StorePlace) throws {
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

    /// One run through a server that fails now and then.
    private struct Trial {
        let seed = UInt64.random(in: 0...999_999)
        let faults: [FlakyProxy.Fault]
        let proxy: FlakyProxy
        let store: StorePlace
        let process: Process

        init(_ server: RealServer) throws {
            faults = server.kind == .s3 ? FlakyProxy.Fault.allCases : FlakyProxy.Fault.common
            proxy = try FlakyProxy(try server.address, faults: faults, seed: seed)
            store = try StorePlace(server, at: proxy.url)
            try StoreFaultTests.letCredentialsBeFetched(store)
            try store.makeRows("a.db", 33_000)
            process = try store.place.sluice.start([
                "run", "--source", "sqlite:a.db", "--store", store.url, "--target", "sqlite:b.db",
                "--shard-bytes", "1KiB", "--lanes", "8", "--output", "json",
            ])
        }
    }

    /// Side by side: most of their time is waiting.
    @Test func oneRequestInFiveOf500ShardsDoesNotChangeWhatArrives() throws {
        for trial in try Self.servers.map({ try Trial($0) }) {
            let comment = "\(trial.store.server), seed \(trial.seed)"
            let result = trial.process.wait()
            #expect(result.code == 0, "\(comment): \(result.errorText)")
            try StorePlace.expectNoSecret(in: result)
            #expect(try #require(shardCount(result)) >= 500, "\(comment)")
            try trial.store.place.expectEqual("a.db", "b.db")
            #expect(trial.proxy.faults.count > 100, "\(comment)")
            #expect(Set(trial.proxy.faults) == Set(trial.faults), "\(comment)")
        }
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
