import CSQLite
import Glibc
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

/// A target with one table `t`, made from its definition or there already.
struct LoadingTable {
    let folder: ScratchFolder
    let path: String
    let plan: TablePlan
    let request: LoadRequest
    let target: SQLiteTarget
    let session: any TargetSession

    init(
        _ fields: [(Name, ColumnType, Bool)], key: [Name] = [], existing: String? = nil,
        hidesKeys: Bool = false
    ) throws {
        folder = try ScratchFolder()
        path = folder.path("b.db")
        let fields = fields.map {
            Field(name: $0.0, avroName: $0.0.text, type: $0.1, isNullable: $0.2)
        }
        plan = TablePlan(
            schema: RecordSchema(table: TableName("t"), fields: fields),
            definition: TableDefinition(
                columns: fields.map {
                    TableDefinition.Column(name: $0.name, isNullable: $0.isNullable)
                }, primaryKey: key), chunks: [Chunk(number: 0)])
        request = LoadRequest(
            dataset: "d1", tables: [plan], trustedSchema: nil,
            onExisting: existing == nil ? .refuse : .use, sourceEngine: "postgres",
            hidesKeys: hidesKeys)
        if let existing { try Shell.sqlite(path, existing) }
        target = SQLiteTarget(path: path, busyLimit: .milliseconds(200))
        session = try target.openSession(request, stop: StopSignal())
        let survey = try target.survey(request)
        try #require(survey.conflicts == [])
        try session.prepare()
        for step in survey.steps { try session.perform(step) }
        try session.begin([plan])
    }

    @discardableResult
    func load(_ records: [[UInt8]], as unit: String = "s1") throws -> LoadOutcome {
        try session.load(
            unit, of: plan, from: ListedRecords(records),
            expecting: ListedRecords.digest(records))
    }

    func failure(_ records: [[UInt8]]) throws -> String? {
        #expect(throws: Failure.self) { try load(records) }?.description
    }

    /// Rows and units that are there.
    func content() throws -> String {
        try Shell.sqlite(path, "SELECT count(*) FROM t; SELECT unit FROM sluice_ledger;")
    }

    func readBack() throws -> Digest {
        var digest = Digest.empty
        for slice in try session.slices(of: plan, atMost: 2) {
            digest += try Migration.digest(try session.readBack(slice, of: plan), plan)
        }
        return digest
    }
}

private let nothingLoaded = "0\nbegin t\nstep table t\n"
private let untouched = "0\nbegin t\n"

/// A lane that loads these shards.
private func offering(
    _ numbers: [Int], of shards: [[[UInt8]]], _ plan: TablePlan, to target: SQLiteTarget,
    _ request: LoadRequest
) -> Lanes.Lane {
    @Sendable func load() throws(Failure) {
        let session = try target.openSession(request, stop: StopSignal())
        defer { session.close() }
        for number in numbers {
            _ = try session.load(
                "s\(number)", of: plan, from: ListedRecords(shards[number]),
                expecting: ListedRecords.digest(shards[number]))
        }
    }
    return load
}

@Suite("Loading records into SQLite")
struct SQLiteTargetLoadTests {
    @Test("every type is stored as documented and read back as the same record")
    func allTypes() throws {
        let types: [(Name, ColumnType, Bool)] = [
            ("id", .int64, false), ("bo", .boolean, true), ("i", .int32, true),
            ("u", .uint64, true), ("f", .float32, true), ("d", .float64, true),
            ("n", .decimal(precision: 5, scale: 2), true), ("nt", .numberText, true),
            ("s", .text, true), ("b", .bytes, true), ("da", .date, true), ("ti", .time, true),
            ("ts", .timestamp, true), ("lt", .localTimestamp, true), ("uu", .uuid, true),
            ("bi", .bitString, true), ("an", .any, true), ("j", .json, true),
        ]
        let table = try LoadingTable(types, key: ["id"])
        let full = record {
            $0.appendLong(7)
            $0.appendNotNull()
            $0.appendBoolean(true)
            $0.appendNotNull()
            $0.appendLong(-5)
            $0.appendNotNull()
            $0.appendUnscaled(18_446_744_073_709_551_615)
            $0.appendNotNull()
            $0.appendFloat(0.1)
            $0.appendNotNull()
            $0.appendDouble(-.infinity)
            $0.appendNotNull()
            $0.appendUnscaled(-1230)
            $0.appendNotNull()
            text("1e99", into: &$0)
            $0.appendNotNull()
            text("a\0b", into: &$0)
            $0.appendNotNull()
            text("", into: &$0)
            $0.appendNotNull()
            $0.appendLong(-1)
            $0.appendNotNull()
            $0.appendLong(3_600_000_001)
            $0.appendNotNull()
            $0.appendLong(1)
            $0.appendNotNull()
            $0.appendLong(0)
            $0.appendNotNull()
            text("8b1a9953-c461-4296-a827-abf8c47804d7", into: &$0)
            $0.appendNotNull()
            text("0101", into: &$0)
            $0.appendBranch(.invalidText)
            bytes([0xFF], into: &$0)
            $0.appendNotNull()
            text("{\"a\": 1}", into: &$0)
        }
        let empty = record {
            $0.appendLong(8)
            for _ in 0..<17 { $0.appendNull() }
        }
        try table.load([full, empty])
        #expect(try table.readBack() == ListedRecords.digest([full, empty]))
        let found = try Shell.sqlite(
            table.path,
            """
            SELECT id, bo, i, u, f, d, n, nt, hex(s), quote(b), da, ti, ts, lt, uu, bi, hex(an), j
            FROM t; SELECT group_concat(type, ' ') FROM pragma_table_info('t');
            SELECT typeof(u), typeof(n), typeof(an), typeof(bi) FROM t;
            """)
        #expect(
            found == """
                7|1|-5|18446744073709551615|0.100000001490116|-Inf|-12.30|1e99|610062|X''|\
                1969-12-31|01:00:00.000001|1970-01-01 00:00:00.000001Z|1970-01-01 00:00:00|\
                8b1a9953-c461-4296-a827-abf8c47804d7|0101|FF|{"a": 1}
                8|||||||||NULL||||||||
                INTEGER INTEGER INTEGER TEXT REAL REAL TEXT TEXT TEXT BLOB TEXT TEXT TEXT TEXT TEXT \
                TEXT  TEXT
                text|text|text|text
                null|null|null|null

                """)
    }

    @Test("a value that SQLite has no form for is refused by table, row and column")
    func values() throws {
        func expect(
            _ type: ColumnType, _ declared: String?, _ message: String, _ hint: String,
            _ write: (inout ByteBuffer) -> Void
        ) throws {
            let table = try LoadingTable(
                [("id", .int64, false), ("c", type, false)], key: ["id"],
                existing: declared.map { "CREATE TABLE t(id INTEGER PRIMARY KEY, c \($0));" })
            let row = record {
                $0.appendLong(41)
                write(&$0)
            }
            #expect(
                try table.failure([row]) == """
                    column c cannot keep \(message)
                      while loading row 1 (id = 41) of t
                    hint: \(hint)
                    """)
            #expect(try table.content() == (declared == nil ? nothingLoaded : untouched))
        }
        let gone = "SQLite has no such value; leave the table out, or change the row in the source."
        let declare = "Declare the column without a type in the target, or leave the table out."
        try expect(.float64, nil, "NaN: SQLite would make it NULL", gone) { $0.appendDouble(.nan) }
        try expect(.float32, nil, "NaN: SQLite would make it NULL", gone) { $0.appendFloat(.nan) }
        try expect(.float64, nil, "-0.0: SQLite would make it 0.0", declare) {
            $0.appendDouble(-0.0)
        }
        let word = "a value that its type has no word for"
        try expect(.decimal(precision: 3, scale: 1), nil, word, gone) { $0.appendUnscaled(1000) }
        try expect(.date, nil, word, gone) { $0.appendLong(-1_000_000_000) }
        try expect(.timestamp, nil, word, gone) { $0.appendLong(-9_222_425_352_054_775_809) }
        try expect(
            .text, "INT", "a text that is a number: SQLite would make it a number", declare
        ) { text("12", into: &$0) }
        try expect(
            .float64, "DECIMAL(5,2)", "a whole real number: SQLite would make it an integer",
            declare
        ) { $0.appendDouble(1) }
        try expect(.any, "TEXT", "an integer: SQLite would make it a text", declare) {
            $0.appendBranch(.long)
            $0.appendLong(1)
        }
        try expect(.any, "REAL", "an integer: SQLite would make it a real number", declare) {
            $0.appendBranch(.long)
            $0.appendLong(1)
        }
        try expect(.any, "TEXT", "a real number: SQLite would make it a text", declare) {
            $0.appendBranch(.double)
            $0.appendDouble(1.5)
        }
    }

    @Test("a NULL is not turned into a rowid")
    func nullRowid() throws {
        let table = try LoadingTable(
            [("id", .int64, true)], existing: "CREATE TABLE t(id INTEGER PRIMARY KEY);")
        #expect(
            try table.failure([record { $0.appendNull() }]) == """
                column id cannot keep NULL: it is the rowid, and SQLite would number the row
                  while loading row 1 of t
                hint: Declare the column without a type in the target, or leave the table out.
                """)
    }

    @Test("a database in UTF-16 refuses bytes that UTF-16 has no units for")
    func utf16() throws {
        let table = try LoadingTable(
            [("c", .any, false)], existing: "PRAGMA encoding = 'UTF-16'; CREATE TABLE t(c);")
        func row(_ content: [UInt8]) -> [UInt8] {
            record {
                $0.appendBranch(.invalidText)
                bytes(content, into: &$0)
            }
        }
        // No UTF-8 at all; a character written too long; two halves that would be one character.
        for content: [UInt8] in [
            [0x41, 0xFF], [0xC1, 0x81], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
        ] {
            #expect(
                try table.failure([row(content)]) == """
                    column c cannot keep a text that UTF-16 has no characters for
                      while loading row 1 of t
                    hint: Make the target with PRAGMA encoding = 'UTF-8', or change the row.
                    """)
        }
        let half = row([0x61, 0xED, 0xB8, 0x80])
        try table.load([half])
        #expect(try table.readBack() == ListedRecords.digest([half]))
        #expect(
            try Shell.sqlite(table.path, "SELECT hex(CAST(c AS BLOB)), typeof(c) FROM t;")
                == "610000DE|text\n")
    }

    @Test("a constraint that is broken rolls the shard back and is explained")
    func constraints() throws {
        func rows(_ ids: [Int64?]) -> [[UInt8]] {
            ids.map { id in
                record {
                    guard let id else { return $0.appendNull() }
                    $0.appendNotNull()
                    $0.appendLong(id)
                }
            }
        }
        func expect(
            _ declared: String, _ ids: [Int64?], _ expected: String, hidesKeys: Bool = false
        ) throws {
            let table = try LoadingTable(
                [("c", .int64, true)], key: ["c"], existing: "CREATE TABLE t(c \(declared));",
                hidesKeys: hidesKeys)
            #expect(try table.failure(rows(ids)) == expected)
            #expect(try table.content() == untouched)
            // The next shard is loaded as if nothing had been.
            try table.load(rows([5]), as: "s2")
            #expect(try table.content() == "1\nbegin t\ns2\n")
        }
        let twice = "hint: Two rows have the same key; was the table empty before the load?"
        try expect(
            "INT UNIQUE ON CONFLICT REPLACE", [1, 2, 1],
            """
            UNIQUE constraint failed: t.c [SQLITE_CONSTRAINT 2067]
              while loading row 3 (c = 1) of t
            \(twice)
            """)
        try expect(
            "INTEGER PRIMARY KEY", [1, 1],
            """
            UNIQUE constraint failed: t.c [SQLITE_CONSTRAINT 1555]
              while loading row 2 of t
            \(twice)
            """, hidesKeys: true)
        let stricter =
            "hint: The target's constraint is stricter than the source; drop it, or leave the table out."
        try expect(
            "INT NOT NULL", [1, nil],
            """
            NOT NULL constraint failed: t.c [SQLITE_CONSTRAINT 1299]
              while loading row 2 (c = NULL) of t
            \(stricter)
            """)
        try expect(
            "INT CHECK(c < 10)", [11],
            """
            CHECK constraint failed: c < 10 [SQLITE_CONSTRAINT 275]
              while loading row 1 (c = 11) of t
            \(stricter)
            """)
    }

    @Test("a STRICT table's refusal names the column")
    func strict() throws {
        let table = try LoadingTable(
            [("c", .any, true)], existing: "CREATE TABLE t(c INTEGER) STRICT;")
        let row = record {
            $0.appendBranch(.string)
            text("x", into: &$0)
        }
        #expect(
            try table.failure([row]) == """
                cannot store TEXT value in INTEGER column t.c [SQLITE_CONSTRAINT 3091]
                  while loading row 1 of t
                hint: The target's table is STRICT; make the column ANY, or leave the table out.
                """)
    }

    @Test("a shard whose rows are not those of its seal is not loaded")
    func seals() throws {
        let table = try LoadingTable([("c", .int64, false)])
        let rows = (0..<3).map { number in record { $0.appendLong(number) } }
        let others = (1..<4).map { number in record { $0.appendLong(number) } }
        for (loaded, message) in [
            (others, "the shard's rows are not those that its seal was made for"),
            (Array(rows.dropLast()), "the shard holds 2 rows, and its seal says 3"),
        ] {
            let failure = #expect(throws: Failure.self) {
                try table.session.load(
                    "s1", of: table.plan, from: ListedRecords(loaded),
                    expecting: ListedRecords.digest(rows))
            }
            #expect(
                failure?.description
                    == "\(message)\nhint: The dataset is damaged; export it again.")
            #expect(failure?.kind == .failed)
            #expect(try table.content() == nothingLoaded)
        }
    }

    @Test("what fails while a shard is read rolls it back and comes through as it is")
    func readingFails() throws {
        let table = try LoadingTable([("c", .int64, false)])
        let rows = (0..<1000).map { number in record { $0.appendLong(number) } }
        let failure = #expect(throws: Failure.self) {
            try table.session.load(
                "s1", of: table.plan,
                from: ListedRecords(rows, failingWith: Failure(.failed, "a broken block")),
                expecting: ListedRecords.digest(rows))
        }
        #expect(failure?.description == "a broken block")
        #expect(try table.content() == nothingLoaded)
    }

    @Test("a shard that the ledger has is not loaded again")
    func alreadyThere() throws {
        let table = try LoadingTable([("c", .int64, false)])
        let rows = (0..<200_000).map { number in record { $0.appendLong(number) } }
        #expect(try table.load(rows) == .loaded(mapped: ListedRecords.digest(rows)))
        #expect(try table.load(rows) == .alreadyThere)
        #expect(try table.content() == "200000\nbegin t\ns1\nstep table t\n")
        let entry = try #require(
            try table.target.survey(nil).ledger.first { $0.unit == "s1" })
        let digest = ListedRecords.digest(rows)
        #expect(entry.rowCount == 200_000)
        #expect(entry.digest == digest.text)
        #expect(entry.mapped == digest.text)
        #expect(entry.dataset == "d1")
    }

    @Test("several lanes load through one writer, and nothing is lost or doubled")
    func lanes() throws {
        let table = try LoadingTable([("c", .int64, false)])
        let target = table.target
        let request = table.request
        let plan = table.plan
        let shards = (0..<12).map { shard in
            (0..<5000).map { row in record { $0.appendLong(Int64(shard * 5000 + row)) } }
        }
        var lanes: [Lanes.Lane] = []
        for lane in 0..<4 {
            // Every shard is offered twice, by different lanes.
            let mine = (0..<12).filter { $0 % 2 == lane % 2 }
            lanes.append(offering(mine, of: shards, plan, to: target, request))
        }
        try Lanes.run(lanes)
        #expect(try table.readBack() == ListedRecords.digest(shards.flatMap { $0 }))
    }

    @Test("a target that another program has locked is unavailable")
    func locked() throws {
        let table = try LoadingTable([("c", .int64, false)])
        let other = try SQLiteConnection(table.path, .write, stop: StopSignal())
        try other.execute("BEGIN IMMEDIATE")
        let failure = #expect(throws: Failure.self) { try table.load([]) }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.isTransient == true)
        #expect(
            failure?.description == """
                \(table.path) is locked by another connection [SQLITE_BUSY]
                hint: Wait until the program that holds it is done, or stop it.
                """)
        try other.execute("ROLLBACK")
        #expect(try table.load([]) == .loaded(mapped: .empty))
    }

    @Test("a full disk rolls the shard back and is told clearly")
    func full() throws {
        let table = try LoadingTable([("c", .bytes, false)])
        table.session.close()
        let writer = SQLiteWriter(
            table.path, table.request, busyLimit: .seconds(1), stop: StopSignal())
        let session = SQLiteTargetSession(
            writer, path: table.path, busyLimit: .seconds(1), stop: StopSignal())
        try writer.exclusively { connection throws(Failure) in
            try connection.execute("PRAGMA max_page_count = 30")
        }
        let rows = (0..<100).map { _ in
            record { bytes([UInt8](repeating: 1, count: 4000), into: &$0) }
        }
        let failure = #expect(throws: Failure.self) {
            try session.load(
                "s1", of: table.plan, from: ListedRecords(rows),
                expecting: ListedRecords.digest(rows))
        }
        #expect(failure?.kind == .failed)
        #expect(failure?.headline == "no space left for \(table.path) [SQLITE_FULL]")
        #expect(
            failure?.hint == "Make room where the file is, then run the same command again.")
        #expect(try table.content() == nothingLoaded)
        writer.close()
    }

    @Test(
        "a file left in the middle of a shard shows what was committed, and takes the shard again")
    func hotJournal() throws {
        let table = try LoadingTable([("c", .int64, false)])
        let first = (0..<10).map { number in record { $0.appendLong(number) } }
        try table.load(first, as: "s1")
        // What a killed process leaves: pages of an open transaction in the file, and its journal beside it.
        let dying = try SQLiteConnection(table.path, .write, stop: StopSignal())
        try dying.execute(
            """
            PRAGMA cache_size = 5; BEGIN IMMEDIATE; DELETE FROM t;
            INSERT INTO sluice_ledger VALUES('d1', 's2', 1, '', '', '');
            WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)
            INSERT INTO t SELECT i FROM n;
            """)
        let left = table.folder.path("left.db")
        try Shell.output(
            of: "cp '\(table.path)' '\(left)'; cp '\(table.path)-journal' '\(left)-journal'")
        dying.close()
        let target = SQLiteTarget(path: left)
        #expect(
            try target.survey(table.request).ledger.map(\.unit) == [
                "begin t", "s1", "step table t",
            ])
        let session = try target.openSession(table.request, stop: StopSignal())
        let second = (10..<20).map { number in record { $0.appendLong(number) } }
        let outcome = try session.load(
            "s2", of: table.plan, from: ListedRecords(second),
            expecting: ListedRecords.digest(second))
        #expect(outcome == .loaded(mapped: ListedRecords.digest(second)))
        let slice = try session.slices(of: table.plan, atMost: 1)[0]
        let found = try Migration.digest(
            try session.readBack(slice, of: table.plan), table.plan)
        #expect(found == ListedRecords.digest(first + second))
        session.close()
        try target.close()
        #expect(try Shell.output(of: "ls '\(table.folder.path)' | grep left") == "left.db\n")
    }

    @Test("rows that no record can hold are misfits, named by their key")
    func misfits() throws {
        let table = try LoadingTable(
            [("id", .int64, false), ("c", .int32, false), ("d", .date, true)], key: ["id"],
            existing: "CREATE TABLE t(id INTEGER PRIMARY KEY, c, d);")
        try Shell.sqlite(
            table.path,
            """
            INSERT INTO t VALUES(1, 'x', NULL), (2, NULL, NULL), (3, 3000000000, NULL),
            (4, 4, '2020-02-30'), (5, 5, '2020-02-29');
            """)
        var batch = Batch(fieldCount: 3)
        let slices = try table.session.slices(of: table.plan, atMost: 1)
        let records = try table.session.readBack(slices[0], of: table.plan)
        #expect(try records.fill(&batch, byteGoal: 1 << 20) == false)
        #expect(batch.rowCount == 1)
        #expect(
            batch.misfits == [
                Misfit(row: "id = 1", column: "c", what: "a text in an int32 column"),
                Misfit(row: "id = 2", column: "c", what: "NULL in a column without NULL"),
                Misfit(row: "id = 3", column: "c", what: "an integer beyond 32 bits"),
                Misfit(row: "id = 4", column: "d", what: "a text that is no date"),
            ])
    }
}
