import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("The schema by pg_dump")
struct PostgresDumpTests {
    private let database: PostgresDatabase
    private let connection: PostgresConnection

    init() throws {
        database = try PostgresDatabase()
        let address = try PostgresAddress(url: database.url, shown: "postgres://test")
        connection = try PostgresConnection(address, stop: StopSignal())
    }

    private func dump(folder: String? = nil, version: Int? = nil) -> PostgresDump {
        PostgresDump(
            parameters: connection.parameters, serverVersion: version ?? connection.version,
            folder: folder)
    }

    private func snapshot() throws -> String {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return try connection.text("SELECT pg_export_snapshot()") ?? ""
    }

    @Test("is that of the snapshot, whatever is made afterwards")
    func snapshotOnly() throws {
        try database.sql("CREATE TABLE before(id integer PRIMARY KEY, word text)")
        let name = try snapshot()
        try database.sql("CREATE TABLE later(id integer)")
        let objects = try dump().objects(snapshot: name, stop: StopSignal())
        #expect(objects.map(\.kind) == ["TABLE", "CONSTRAINT"])
        #expect(objects.allSatisfy { $0.table?.description == "public.before" })
    }

    @Test("leaves out what is our own")
    func ours() throws {
        try database.sql(
            """
            CREATE SCHEMA sluice; CREATE TABLE sluice.sluice_ledger(unit text PRIMARY KEY);
            CREATE TABLE t(a integer); CREATE PUBLICATION sluice_a1 FOR TABLE t;
            """)
        let objects = try dump().objects(snapshot: try snapshot(), stop: StopSignal())
        #expect(objects.map(\.name.table) == ["t"])
    }

    @Test("needs a pg_dump that is not older than the server")
    func version() {
        let found = failure(of: { () throws(Failure) in
            _ = try dump(version: 990_001).objects(snapshot: "x", stop: StopSignal())
        })
        #expect(found?.kind == .usage)
        #expect(found?.message.hasSuffix(" is older than the server (99.1)") == true)
        #expect(
            found?.hint
                == "Install Debian's package postgresql-client-99, or name its folder with --pg-bin."
        )
        let missing = failure(of: { () throws(Failure) in
            _ = try dump(folder: "/nowhere").objects(snapshot: "x", stop: StopSignal())
        })
        #expect(missing?.message == "pg_dump is not in /nowhere")
    }

    @Test("names what pg_dump has to complain of")
    func complaint() {
        let found = failure(of: { () throws(Failure) in
            _ = try dump().objects(snapshot: "0000-1", stop: StopSignal())
        })
        #expect(found?.message == "pg_dump: invalid snapshot identifier: \"0000-1\"")
    }

    @Test("is not waited for when the run is to stop")
    func stopping() {
        let stop = StopSignal()
        stop.raise(.timeLimit)
        let found = failure(of: { () throws(Failure) in
            _ = try dump().objects(snapshot: "x", stop: stop)
        })
        #expect(found?.message == "the time limit was reached")
    }
}
