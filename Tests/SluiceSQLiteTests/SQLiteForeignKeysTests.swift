import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite struct SQLiteForeignKeysTests {
    private func complaints(_ sql: String, of tables: [TableName]) throws -> [String] {
        let folder = try ScratchFolder()
        let path = try folder.database(sql)
        let plans = tables.map { table in
            TablePlan(
                schema: RecordSchema(table: table, fields: []),
                definition: TableDefinition(
                    columns: [],
                    foreignKeys: [
                        .init(columns: ["p"], table: TableName("parent"), otherColumns: ["id"])
                    ]),
                chunks: [Chunk(number: 0)])
        }
        let connection = try SQLiteConnection(path, .read, stop: StopSignal())
        defer { connection.close() }
        return try SQLiteForeignKeys.complaints(plans, on: connection)
    }

    @Test func rowsWithoutTheirParentsAreCountedByKey() throws {
        let found = try complaints(
            """
            CREATE TABLE parent(id INTEGER PRIMARY KEY);
            CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES parent);
            CREATE TABLE lonely(p REFERENCES parent);
            CREATE TABLE lost(p REFERENCES gone);
            INSERT INTO parent VALUES (1);
            INSERT INTO child VALUES (1, 1), (2, 5), (3, 6), (4, NULL);
            INSERT INTO lonely VALUES (9);
            INSERT INTO lost VALUES (1);
            """, of: [TableName("child"), TableName("lonely"), TableName("lost")])
        #expect(
            found == [
                "2 rows of child refer to rows of parent that are not there",
                "1 row of lonely refers to a row of parent that is not there",
                "1 row of lost refers to a row of gone that is not there",
            ])
    }

    @Test func aKeyThatSQLiteCannotCheckIsSaidToBeOne() throws {
        let found = try complaints(
            """
            CREATE TABLE parent(id INTEGER, other);
            CREATE TABLE child(p REFERENCES parent(other));
            INSERT INTO child VALUES (1);
            """, of: [TableName("child")])
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("the foreign keys of child cannot be checked: ") == true)
    }
}
