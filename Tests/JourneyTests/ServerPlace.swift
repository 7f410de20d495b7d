import Glibc
import TestSupport
import Testing

/// A database on a real server.
protocol ServerDatabase {
    /// What sluice is given; without a password.
    var url: String { get }
    /// What the engine's own tools find different in another database; empty where nothing is.
    func difference(from other: Self) throws -> String
}

/// Two databases on real servers and a folder for the store, with sluice as it is run between them.
protocol ServerPlace {
    associatedtype Database: ServerDatabase
    var place: Workspace { get }
    var source: Database { get }
    var target: Database { get }
    /// What no message may show.
    var password: String { get throws }
}

extension ServerPlace {
    /// `--source`, `--store` and `--target`, each where the command takes it.
    func ends(of command: String, store: String = "file:out") -> [String] {
        var ends = ["--store", store]
        if ["run", "export"].contains(command) { ends += ["--source", source.url] }
        if ["run", "load", "verify"].contains(command) { ends += ["--target", target.url] }
        return ends
    }

    /// Runs sluice; whatever it says, the password is not in it.
    @discardableResult
    func run(
        _ command: String, _ options: [String] = [], store: String = "file:out",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Result {
        let result = try place.run([command] + ends(of: command, store: store) + options)
        let password = try password
        #expect(!result.text.contains(password), sourceLocation: sourceLocation)
        #expect(!result.errorText.contains(password), sourceLocation: sourceLocation)
        return result
    }

    /// Runs sluice and expects that all is well.
    @discardableResult
    func succeed(
        _ command: String, _ options: String..., store: String = "file:out",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Result {
        let result = try run(command, options, store: store, sourceLocation: sourceLocation)
        #expect(result.code == 0, "\(result.errorText)", sourceLocation: sourceLocation)
        return result
    }

    /// Runs sluice, quietly, and expects exactly this end.
    func expect(
        _ code: Int32, _ errors: String, _ command: String, _ options: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try run(command, options + ["--quiet"], sourceLocation: sourceLocation)
        #expect(result.errorText == errors, sourceLocation: sourceLocation)
        #expect(result.code == code, sourceLocation: sourceLocation)
    }

    /// Starts sluice and comes back at once.
    func start(_ command: String, _ options: [String] = []) throws -> Process {
        try place.sluice.start([command] + ends(of: command) + ["--quiet"] + options)
    }

    /// The engine's own tools find source and target the same.
    func expectEqual(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let difference = try source.difference(from: target)
        #expect(difference.prefix(3000) == "", sourceLocation: sourceLocation)
    }

    /// No run that is still going on, or ended badly, is noted in the store.
    func expectNoHolds(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let holds = try place.exists("out/holds") ? place.names("out/holds") : []
        #expect(holds == [], sourceLocation: sourceLocation)
    }
}

/// Waits until something is so, half a minute at most.
func eventually(
    _ complaint: String, within seconds: Double = 30,
    sourceLocation: SourceLocation = #_sourceLocation, _ isSo: () throws -> Bool
) throws {
    let end = Process.now + seconds
    while try !isSo() {
        guard Process.now < end else {
            Issue.record("\(complaint) after \(seconds) s", sourceLocation: sourceLocation)
            return
        }
        usleep(50_000)
    }
}
