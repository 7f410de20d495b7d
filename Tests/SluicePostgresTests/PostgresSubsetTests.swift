import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Some tables of a database")
struct PostgresSubsetTests {
    private let database: PostgresDatabase

    init() throws {
        database = try PostgresDatabase()
        try database.sql(
            """
            CREATE TYPE mood AS ENUM ('sad');
            CREATE TABLE kept(id int PRIMARY KEY, m mood); CREATE TABLE gone(id serial PRIMARY KEY);
            ALTER TABLE kept ADD CONSTRAINT to_gone FOREIGN KEY (id) REFERENCES gone;
            CREATE TABLE gone_too(id int REFERENCES kept);
            CREATE VIEW good AS SELECT id FROM kept;
            CREATE VIEW bad AS SELECT id FROM gone;
            CREATE MATERIALIZED VIEW worse AS SELECT * FROM bad;
            CREATE RULE copy AS ON INSERT TO kept DO ALSO INSERT INTO gone VALUES (NEW.id);
            CREATE TABLE parts(a int) PARTITION BY LIST (a);
            CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1);
            CREATE TABLE part2 PARTITION OF parts FOR VALUES IN (2);
            CREATE TABLE base(a int); CREATE TABLE heir(b int) INHERITS (base);
            CREATE SEQUENCE free;
            """)
    }

    private func catalog(_ names: Set<Name>) throws -> Catalog {
        var options = SnapshotOptions(.snapshot, lanes: 1)
        options.wants = { table in
            names.contains(table.name.table) || table.wholes.contains { names.contains($0.table) }
        }
        let snapshot = try source(database.url).openSnapshot(options, stop: StopSignal())
        defer { try? snapshot.close() }
        return try snapshot.catalog()
    }

    private func relations(_ catalog: Catalog) -> [String] {
        catalog.schema.objects.filter {
            ["TABLE", "VIEW", "MATERIALIZED VIEW", "FK CONSTRAINT", "RULE", "TYPE", "TABLE ATTACH"]
                .contains($0.kind)
        }.map { "\($0.kind) \($0.name.table)" }
    }

    @Test("come with what they need, without what needs others, and that is told")
    func kept() throws {
        let catalog = try catalog(["kept", "part1", "heir"])
        #expect(
            Set(relations(catalog)) == [
                "TYPE mood", "TABLE base", "TABLE heir", "TABLE kept", "TABLE parts",
                "TABLE part1", "VIEW good", "TABLE ATTACH part1",
            ])
        #expect(
            catalog.warnings == [
                "view public.bad is left out: it needs tables that were not chosen",
                "materialized view public.worse is left out: it needs tables that were not chosen",
                "foreign key to_gone of public.kept is left out: gone was not chosen",
                "rule copy of public.kept is left out: it needs tables that were not chosen",
            ])
        let sequences = catalog.schema.settings["sequences"]?.elements?.compactMap {
            $0["name"]?.text
        }
        #expect(sequences == ["free"])
        #expect(catalog.tables.count == 7)
    }

    @Test("a partitioned table stands for all of its partitions")
    func whole() throws {
        try database.sql(
            """
            CREATE TABLE part3 PARTITION OF parts DEFAULT PARTITION BY LIST (a);
            CREATE TABLE part4 PARTITION OF part3 DEFAULT;
            """)
        let catalog = try catalog(["parts"])
        #expect(
            Set(relations(catalog)) == [
                "TYPE mood", "TABLE parts", "TABLE part1", "TABLE part2", "TABLE part3",
                "TABLE part4", "TABLE ATTACH part1", "TABLE ATTACH part2", "TABLE ATTACH part3",
                "TABLE ATTACH part4",
            ])
        let deepest = catalog.tables.first { $0.name.table == "part4" }
        #expect(deepest?.wholes.map(\.table) == ["part3", "parts"])
    }

    @Test("a partitioned table goes with the last of its partitions")
    func partitions() throws {
        let catalog = try catalog(["base", "heir"])
        #expect(Set(relations(catalog)) == ["TYPE mood", "TABLE base", "TABLE heir"])
    }
}
