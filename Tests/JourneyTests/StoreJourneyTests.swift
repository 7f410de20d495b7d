import Glibc
import TestSupport
import Testing

/// The same migration as through a folder, through real object stores; their own client reads and writes the same.
@Suite("A migration through an object store")
struct StoreJourneyTests {
    @Test("arrives as it was, twice means once", arguments: RealServer.all)
    func wholeJourney(_ server: RealServer) throws {
        let store = try StorePlace(server)
        let place = store.place
        try place.make("a.db", from: "edge.sql")
        let command = [
            "run", "--source", "sqlite:a.db", "--store", store.url, "--target", "sqlite:b.db",
        ]
        let result = try store.run(command)
        #expect(result.code == 0, "\(result.errorText)")
        #expect(
            result.text.hasSuffix("verified: the target holds exactly the rows of the snapshot\n"))
        try place.expectEqual("a.db", "b.db")
        #expect(
            try MigrationTests.values(place, "a.db") == MigrationTests.values(place, "b.db"))
        let again = try store.run(command + ["--quiet"])
        #expect(again.code == 0)
        #expect(again.text == "everything is there and was verified before; nothing was done\n")
        #expect(again.errorText == "")
        try store.succeed("verify", "--store", store.url, "--target", "sqlite:b.db")
        try store.succeed("status", "--store", store.url, "--target", "sqlite:b.db")
        try store.succeed("load", "--store", store.url, "--target", "sqlite:c.db", "--trust-schema")
        try place.expectEqual("a.db", "c.db")
    }

    @Test(
        "is read by another client, which writes what we read",
        arguments: RealServer.all.filter { $0.remote != nil })
    func otherClient(_ server: RealServer) throws {
        let store = try StorePlace(server)
        let place = store.place
        let remote = try #require(store.remote)
        try place.make("a.db", from: "edge.sql")
        try store.succeed("export", "--source", "sqlite:a.db", "--store", store.url)
        // What rclone reads is the same dataset, whole.
        try store.rclone("copy", remote, place["copy"])
        #expect(try place.names("copy").contains("manifest.json"))
        try place.succeed(
            "load", "--store", "file:copy", "--target", "sqlite:b.db", "--trust-schema")
        try place.expectEqual("a.db", "b.db")
        for name in try place.names("copy") {
            let bytes = try place.read("copy/\(name)")
            for secret in try RealServer.secrets {
                #expect(!String(decoding: bytes, as: UTF8.self).contains(secret), "\(name)")
            }
        }
        // And what it writes is one to us.
        try store.rclone("copy", place["copy"], remote + "-copy")
        let url = store.url.replacing(store.prefix, with: store.prefix + "-copy")
        try store.succeed("load", "--store", url, "--target", "sqlite:c.db", "--trust-schema")
        try place.expectEqual("a.db", "c.db")
    }

    @Test("keeps the newest datasets that prune is told to", arguments: RealServer.all)
    func prune(_ server: RealServer) throws {
        let store = try StorePlace(server)
        let place = store.place
        try store.makeRows("a.db", 10)
        let dated = try server.url(store.prefix + "/{date}-{time}")
        for number in 1...3 {
            // Datasets are told apart by the second they were begun in.
            if number > 1 { usleep(1_100_000) }
            try store.succeed(
                "export", "--source", "sqlite:a.db",
                "--store", try server.url("\(store.prefix)/2026-01-0\(number)-000000"))
        }
        let result = try store.run(["prune", "--store", dated, "--keep", "1"])
        #expect(result.code == 0, "\(result.errorText)")
        for number in 1...3 {
            let load = try store.run([
                "load", "--trust-schema", "--target", "sqlite:b\(number).db",
                "--store", try server.url("\(store.prefix)/2026-01-0\(number)-000000"),
            ])
            #expect((load.code == 0) == (number == 3), "\(load.errorText)")
        }
        try place.expectEqual("a.db", "b3.db")
    }
}
