import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("A dataset's schema may make what it says, and nothing else")
struct SQLiteAuthorizerTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        var kind: SQLiteObjectKind
        var sql: String
        var message: String
        var testDescription: String { sql }
    }

    static let attacks = [
        Attack(
            kind: .table, sql: "ATTACH 'other.db' AS o",
            message: "table x of the schema may not attach a database"),
        Attack(
            kind: .table, sql: "PRAGMA writable_schema = 1",
            message: "table x of the schema may not run PRAGMA writable_schema"),
        Attack(
            kind: .view, sql: "CREATE TRIGGER x AFTER INSERT ON victim BEGIN SELECT 1; END",
            message: "view x of the schema may not make trigger x"),
        Attack(
            kind: .table, sql: "CREATE TABLE x(a); DROP TABLE victim",
            message: "table x of the schema holds more than one statement"),
        Attack(
            kind: .table, sql: "CREATE TABLE x AS SELECT * FROM victim",
            message: "table x of the schema may not read rows"),
        Attack(
            kind: .table, sql: "CREATE TABLE y(a)",
            message: "table x of the schema is not what it says: its SQL makes table y"),
        Attack(
            kind: .table, sql: "CREATE TABLE x(a DEFAULT (load_extension('evil')))",
            message: "table x of the schema may not call load_extension()"),
        Attack(
            kind: .table, sql: "CREATE TABLE x(a CHECK(fts3_tokenizer('a', x'00') IS a))",
            message: "table x of the schema may not call fts3_tokenizer()"),
        Attack(
            kind: .table, sql: "CREATE TEMP TABLE x(a)",
            message: "table x of the schema may not insert into table sqlite_temp_master in temp"),
        Attack(
            kind: .table, sql: "CREATE TABLE temp.x(a)",
            message: "table x of the schema may not insert into table sqlite_master in temp"),
        Attack(
            kind: .view, sql: "CREATE VIEW x AS SELECT load_extension('evil')",
            message: "view x of the schema may not call load_extension()"),
        Attack(
            kind: .trigger,
            sql: "CREATE TRIGGER x AFTER UPDATE ON victim BEGIN SELECT load_extension('e'); END",
            message: "trigger x of the schema may not call load_extension()"),
        Attack(
            kind: .index, sql: "DROP TABLE victim",
            message: "index x of the schema may not delete from table sqlite_master"),
        Attack(
            kind: .index, sql: "DELETE FROM victim",
            message: "index x of the schema may not delete from table victim"),
        Attack(
            kind: .table, sql: "UPDATE victim SET a = 2",
            message: "table x of the schema may not update table victim"),
        Attack(
            kind: .view, sql: "SELECT * FROM victim",
            message: "view x of the schema may not read rows"),
        Attack(
            kind: .table, sql: "COMMIT", message: "table x of the schema may not run COMMIT"),
        Attack(
            kind: .table, sql: "VACUUM INTO 'copy.db'",
            message: "table x of the schema is not what it says: its SQL makes nothing"),
        Attack(
            kind: .table, sql: "ALTER TABLE victim RENAME TO x",
            message: "table x of the schema may not alter table victim"),
        Attack(
            kind: .table, sql: "CREATE VIRTUAL TABLE x USING fts5(a)",
            message: "table x of the schema may not make virtual table x"),
        Attack(
            kind: .table, sql: "CREATE TABLE x(a)\0; DROP TABLE victim",
            message: "table x of the schema has a NUL in its SQL"),
    ]

    @Test("an attack is refused by the object's name and changes nothing", arguments: attacks)
    func attack(_ attack: Attack) throws {
        let folder = try ScratchFolder()
        let path = folder.path("b.db")
        try Shell.sqlite(path, "CREATE TABLE victim(a); INSERT INTO victim VALUES(1);")
        let before = try Shell.dump(path)
        let connection = try SQLiteConnection(path, .write, stop: StopSignal())
        let failure = #expect(throws: Failure.self) {
            try connection.inTransaction { () throws(Failure) in
                try SQLiteSchemaStatement.run(attack.sql, attack.kind, "x", on: connection)
            }
        }
        #expect(failure?.message == attack.message)
        #expect(failure?.kind == .refused)
        #expect(
            failure?.hint
                == "Leave it out; sluice load without --trust-schema makes what the plans describe."
        )
        connection.close()
        #expect(try Shell.dump(path) == before)
    }

    @Test(
        "what a schema needs is allowed",
        arguments: [
            (
                SQLiteObjectKind.table,
                "CREATE TABLE x(a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE)"
            ),
            (.table, "CREATE TABLE x(a DEFAULT CURRENT_TIMESTAMP, b AS (upper(a)), CHECK(a > 1));"),
            (
                .table,
                "CREATE TABLE x(a, b, PRIMARY KEY(a, b), FOREIGN KEY(b) REFERENCES y) WITHOUT ROWID"
            ),
            (.index, "CREATE UNIQUE INDEX x ON victim(a DESC, abs(a)) WHERE a > \"text\""),
            (.view, "CREATE VIEW x(p) AS WITH RECURSIVE r(n) AS (SELECT 1) SELECT * FROM missing"),
            (.trigger, "CREATE TRIGGER x BEFORE DELETE ON victim BEGIN DELETE FROM victim; END"),
            (.virtualTable, "CREATE VIRTUAL TABLE x USING nomodule(a)"),
        ])
    func allowed(_ kind: SQLiteObjectKind, _ sql: String) throws {
        let folder = try ScratchFolder()
        let path = folder.path("b.db")
        try Shell.sqlite(path, "CREATE TABLE victim(a);")
        let connection = try SQLiteConnection(path, .write, stop: StopSignal())
        try SQLiteSchemaStatement.run(sql, kind, "x", on: connection)
        // The authorizer is gone again.
        try connection.execute("PRAGMA user_version = 1; DROP TABLE victim")
    }

    @Test("what SQLite itself refuses comes through as it says it")
    func brokenSQL() throws {
        let folder = try ScratchFolder()
        let connection = try SQLiteConnection(
            folder.path("b.db"), .create, stop: StopSignal())
        let failure = #expect(throws: Failure.self) {
            try SQLiteSchemaStatement.run(
                "CREATE INDEX x ON missing(a)", .index, "x", on: connection)
        }
        #expect(failure?.description == "no such table: main.missing [SQLITE_ERROR]")
    }
}
