import TestSupport
import Testing

/// The comparison that the migrations of PostgreSQL are judged by, tried on copies that sluice did not make.
@Suite("Comparing PostgreSQL databases by pg_dump")
struct PostgresCompareTests {
    @Test(
        "finds nothing in a copy by pg_dump and psql, and every small change of it",
        arguments: ["every-type", "every-object"])
    func comparison(_ fixture: String) throws {
        let source = try PostgresDatabase()
        try source.make(from: "postgres/\(fixture).sql")
        let target = try PostgresDatabase()
        let (dump, restore) = (
            try source.command("pg_dump"),
            try target.command("psql", "-Xq", "-v", "ON_ERROR_STOP=1")
        )
        let result = try Shell.run("set -o pipefail; \(dump) | \(restore) >&2", with: "/bin/bash")
        #expect(result.code == 0, "\(result.errors)")
        #expect(try source.difference(from: target) == "")
        let changes =
            fixture == "every-type"
            ? [
                "UPDATE numbers SET f8 = '0' WHERE id = 3",
                "UPDATE texts SET t = NULL WHERE id = 1",
                "DELETE FROM keyless WHERE ctid = '(0,1)'", "INSERT INTO keyless VALUES (2, '')",
                "UPDATE arrays SET i = '{1,2,3}' WHERE id = 4",
            ]
            : [
                "DROP INDEX covering", "SELECT setval('used_up', 1)",
                "COMMENT ON TABLE parents IS NULL", "SELECT lo_put(20003, 7, '\\x00')",
                "REFRESH MATERIALIZED VIEW zz_first WITH NO DATA",
                "ALTER TABLE unchecked ALTER a SET STATISTICS 7",
                "ALTER TABLE watched ENABLE TRIGGER \"Off \"\"q\"\"\"",
            ]
        // What a database subscribes to is in no copy of it.
        let control = try PostgresDatabase(copying: source.name)
        for change in [""] + changes {
            let changed = try PostgresDatabase(copying: source.name)
            try changed.sql(change)
            let difference = try control.difference(from: changed)
            #expect((difference == "") == (change == ""), "\(change): \(difference)")
        }
    }
}
