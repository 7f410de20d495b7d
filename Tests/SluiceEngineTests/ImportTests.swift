import SluiceCore
import SluiceRecords
import SluiceSQLite
import TestSupport
import Testing

@testable import SluiceEngine

/// Files somebody else exported, described by a job file, into a SQLite target.
@Suite struct ImportTests {
    static let people = ImportFile(
        table: TableName("people"), rendering: .csv, files: ["in/*.csv"],
        columns: [
            .init(name: "id", type: .int64, isNullable: false, isKey: true),
            .init(name: "name", type: .text),
        ])

    static func run(_ file: ImportFile = people) -> Run {
        ExportTests.run { $0.imports = [file] }
    }

    static func store(_ objects: [String: String]) throws -> MemoryStore {
        let store = MemoryStore()
        for (key, text) in objects { try store.put(Array(text.utf8), at: key) }
        return store
    }

    @Test func filesAreLoadedOnceAndVerified() throws {
        let folder = try ScratchFolder()
        let target = SQLiteTarget(path: folder.path("t.db"))
        let store = try Self.store([
            "in/1.csv": "id,name\n1,\"a \"\"quoted\"\" one\"\n2,\n", "in/2.csv": "name,id\nb,3\n",
            "other.csv": "not looked at",
        ])
        let first = try Self.run().load(from: store, into: target)
        #expect(first.status == .done)
        #expect(first.rows == 3)
        #expect(first.shards == 2)
        let second = try Self.run().load(from: store, into: target)
        #expect(second.status == .unchanged)
        #expect(second.rows == 3)
        let verified = try Self.run().verify(target, against: store)
        #expect(verified.verified == true)
    }

    @Test func aFaultInAnyFileIsFoundBeforeARowIsLoaded() throws {
        let folder = try ScratchFolder()
        let target = SQLiteTarget(path: folder.path("t.db"))
        let store = try Self.store([
            "in/1.csv": "id,name\n1,one\n", "in/2.csv": "id,name\n2,two\n3,th\"ree\n",
        ])
        let failure = #expect(throws: Failure.self) {
            _ = try Self.run().load(from: store, into: target)
        }
        #expect(failure?.message == "stray quote in line 3, column 2 (name)")
        #expect(failure?.places == ["reading in/2.csv"])
        #expect(try target.survey(nil).ledger.isEmpty)
    }

    @Test func changedFilesAreAnotherLoad() throws {
        let folder = try ScratchFolder()
        let target = SQLiteTarget(path: folder.path("t.db"))
        _ = try Self.run().load(
            from: try Self.store(["in/1.csv": "id,name\n1,one\n"]), into: target)
        let failure = #expect(throws: Failure.self) {
            _ = try Self.run().load(
                from: try Self.store(["in/1.csv": "id,name\n1,two\n"]), into: target)
        }
        #expect(failure?.kind == .refused)
    }

    @Test func noFileIsAUsageFailure() throws {
        let folder = try ScratchFolder()
        let target = SQLiteTarget(path: folder.path("t.db"))
        let failure = #expect(throws: Failure.self) {
            _ = try Self.run().load(from: MemoryStore(), into: target)
        }
        #expect(failure?.kind == .usage)
        #expect(failure?.message == "no file in memory matches 'in/*.csv'")
    }

    @Test func aCSVWithoutColumnsIsAUsageFailure() throws {
        let folder = try ScratchFolder()
        let target = SQLiteTarget(path: folder.path("t.db"))
        var file = Self.people
        file.columns = []
        let failure = #expect(throws: Failure.self) {
            _ = try Self.run(file).load(
                from: try Self.store(["in/1.csv": "id\n1\n"]), into: target)
        }
        #expect(failure?.message == "the job file names no columns for people")
    }
}
