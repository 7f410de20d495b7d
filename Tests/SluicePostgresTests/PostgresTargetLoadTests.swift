import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Loading into PostgreSQL")
struct PostgresTargetLoadTests {
    private static func values(_ type: ColumnType) -> [(inout ByteBuffer) -> Void] {
        func longs(_ values: Int64...) -> [(inout ByteBuffer) -> Void] {
            values.map { value in { $0.appendLong(value) } }
        }
        func texts(_ values: String...) -> [(inout ByteBuffer) -> Void] {
            values.map { value in { text(value, into: &$0) } }
        }
        func numbers(_ values: Int128...) -> [(inout ByteBuffer) -> Void] {
            values.map { value in { $0.appendUnscaled(value) } }
        }
        func bytes(_ values: [UInt8]...) -> [(inout ByteBuffer) -> Void] {
            values.map { value in { buffer in value.withUnsafeBytes { buffer.appendBytes($0) } } }
        }
        let moments: [Int64] = [
            0, -1, 86_399_999_999, -62_135_596_800_000_000, -62_135_596_800_000_001,
            -210_866_803_200_000_000, 9_223_371_331_200_000_000 &- 1 &+ 946_684_800_000_000,
            Int64.max &+ 946_684_800_000_000, Int64.min &+ 946_684_800_000_000,
            253_402_300_800_000_000,
        ]
        switch type {
        case .boolean: return [{ $0.appendBoolean(true) }, { $0.appendBoolean(false) }]
        case .int32: return longs(0, -1, Int64(Int32.min), Int64(Int32.max))
        case .int64: return longs(0, -1, Int64.min, Int64.max)
        case .uint64: return numbers(0, Int128(UInt64.max), 1 << 63)
        case .float32:
            return [0, -0.0, 1.5, .nan, .infinity, -.infinity, .leastNonzeroMagnitude].map {
                value in { $0.appendFloat(value) }
            }
        case .float64:
            return [
                0, -0.0, 0.1, .nan, .infinity, -.infinity, .leastNonzeroMagnitude,
                1.7976931348623157e308,
            ].map {
                value in { $0.appendDouble(value) }
            }
        case .decimal(let precision, _):
            let end = ReservedValues.decimalEnd(precision: precision)
            return numbers(0, 1, -1, end - 1, 1 - end, end)
        case .numberText:
            return texts("0", "-1.50", "NaN", "Infinity", "-Infinity", "0.00", "123456789.0001")
        case .text, .serverText, .set:
            return texts(
                "", "a\tb\nc\r\\d", "'\"\\N", "\\.", "é😀", String(repeating: "x", count: 99_999))
        case .bytes: return bytes([], [0, 255, 10, 92], Array(repeating: 7, count: 70_000))
        case .date:
            return longs(
                0, -719_162, -719_163, -719_529, -2_440_588, 2_932_896, -2_147_472_692,
                -2_147_472_691)
        case .time: return longs(0, 86_400_000_000, 1)
        case .timestamp, .localTimestamp: return moments.map { value in { $0.appendLong(value) } }
        case .uuid: return texts("00112233-4455-6677-8899-aabbccddeeff")
        case .json: return texts("{\"b\": 1,  \"a\" :[1.10]}", "null")
        case .bitString: return texts("", "1", "010110011", "00000000")
        case .enumeration: return texts("it's", "low")
        case .any: return []
        }
    }

    private static let types: [ColumnType] = [
        .boolean, .int32, .int64, .uint64, .float32, .float64,
        .decimal(precision: 1, scale: 0), .decimal(precision: 12, scale: 2),
        .decimal(precision: 38, scale: 38), .numberText, .text, .bytes, .date, .time, .timestamp,
        .localTimestamp, .uuid, .json, .bitString, .enumeration, .set, .serverText,
    ]

    private static func records(_ type: ColumnType) -> [[UInt8]] {
        let values = values(type)
        let rows: [[UInt8]] = values.enumerated().map { number, write in
            record { buffer in
                buffer.appendLong(Int64(number))
                buffer.appendNotNull()
                write(&buffer)
            }
        }
        return rows + [
            record { buffer in
                buffer.appendLong(Int64(values.count))
                buffer.appendNull()
            }
        ]
    }

    @Test("keeps every value of a type as it is", arguments: types)
    func everyType(_ type: ColumnType) throws {
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", type, true)], key: ["id"])
        let records = PostgresTargetLoadTests.records(type)
        let digest = ListedRecords.digest(records)
        #expect(try table.load(records) == .loaded(mapped: digest))
        let found = try table.readBack()
        #expect(found.misfits == [])
        #expect(found.digest == digest)
    }

    @Test(
        "keeps them by text, too, beside a column whose form only the server knows",
        arguments: types)
    func byText(_ type: ColumnType) throws {
        let declared = PostgresMapping.declaration(
            for: Field(name: "v", avroName: "v", type: type, isNullable: true))
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", type, true), ("a", .serverText, true)],
            existing: "CREATE TABLE t(id int PRIMARY KEY, v \(declared), a inet)")
        let records = PostgresTargetLoadTests.records(type).enumerated().map { number, bytes in
            bytes
                + record { buffer in
                    guard number % 2 == 0 else { return buffer.appendNull() }
                    buffer.appendNotNull()
                    text("10.0.0.\(number)", into: &buffer)
                }
        }
        let digest = ListedRecords.digest(records)
        #expect(try table.load(records) == .loaded(mapped: digest))
        let found = try table.readBack()
        #expect(found.misfits == [])
        #expect(found.digest == digest)
    }

    private func append(_ value: [UInt8], _ branch: AnyBranch, to buffer: inout ByteBuffer) {
        buffer.appendBranch(branch)
        value.withUnsafeBytes { buffer.appendBytes($0) }
    }

    @Test("keeps several kinds of value in one column apart")
    func anyColumn() throws {
        let table = try PostgresLoadingTable([("id", .int32, false), ("v", .any, true)])
        #expect(
            table.warnings == [
                "table public.t: column v holds more than one kind of value and becomes jsonb"
            ])
        let doubles: [Double] = [
            1, -0.0, 0, 1e16, 1.5e300, .leastNonzeroMagnitude, 0.1, .nan, .infinity, -.infinity,
            123_456_789.5,
            -1e22, 1.7976931348623157e308,
        ]
        let texts = ["", "a\"b\\c\n\u{1}\u{7F}é😀", "with\u{0}NUL", "{\"bytes\": \"00\"}", "1"]
        var values: [(inout ByteBuffer) -> Void] = [{ $0.appendBranch(.null) }]
        for value in [0, 1, -1, Int64.min, Int64.max] {
            values.append {
                $0.appendBranch(.long); $0.appendLong(value)
            }
        }
        for value in doubles {
            values.append {
                $0.appendBranch(.double); $0.appendDouble(value)
            }
        }
        for value in texts {
            values.append {
                $0.appendBranch(.string); text(value, into: &$0)
            }
        }
        for value: [UInt8] in [[], [0, 255]] {
            values.append { append(value, .bytes, to: &$0) }
            values.append { append(value, .invalidText, to: &$0) }
        }
        let records = values.enumerated().map { number, write in
            record { buffer in
                buffer.appendLong(Int64(number))
                write(&buffer)
            }
        }
        let digest = ListedRecords.digest(records)
        #expect(try table.load(records) == .loaded(mapped: digest))
        let found = try table.readBack()
        #expect(found.misfits == [])
        #expect(found.digest == digest)
        #expect(
            try table.database.sql("SELECT v FROM t WHERE id IN (1, 6, 7)") == """
                0
                1.0
                {"real": "-0.0"}

                """)
    }

    @Test("writes a shard and its ledger row together, and never twice")
    func once() throws {
        let table = try PostgresLoadingTable([("id", .int32, false)])
        let records = (0..<1000).map { number in record { $0.appendLong(Int64(number)) } }
        let digest = ListedRecords.digest(records)
        #expect(try table.load(records) == .loaded(mapped: digest))
        #expect(try table.load(records) == .alreadyThere)
        #expect(
            try table.content() == "1000\nbegin public.t\ndata/t/1\nstep statistics of public.t\n"
                + "step table public.t\n")
        let row = try table.database.sql(
            "SELECT rows, digest, mapped FROM sluice.sluice_ledger WHERE unit = 'data/t/1'")
        #expect(row == "1000|\(digest.text)|\(digest.text)\n")
    }

    @Test("writes nothing of a shard that is not the sealed one, or ends in a failure")
    func damage() throws {
        let table = try PostgresLoadingTable([("id", .int32, false)])
        let records = (0..<10).map { number in record { $0.appendLong(Int64(number)) } }
        let fewer = failure(of: {
            try table.session.load(
                "data/t/1", of: table.plan, from: ListedRecords(Array(records.dropLast())),
                expecting: ListedRecords.digest(records))
        })
        #expect(fewer?.message == "the shard holds 9 rows, and its seal says 10")
        let other = failure(of: {
            try table.session.load(
                "data/t/1", of: table.plan, from: ListedRecords(records.dropLast() + [records[0]]),
                expecting: ListedRecords.digest(records))
        })
        #expect(other?.message == "the shard's rows are not those that its seal was made for")
        let broken = failure(of: {
            try table.session.load(
                "data/t/1", of: table.plan,
                from: ListedRecords(records, failingWith: Failure(.failed, "broken")),
                expecting: ListedRecords.digest(records))
        })
        #expect(broken?.message == "broken")
        #expect(
            try table.content()
                == "0\nbegin public.t\nstep statistics of public.t\nstep table public.t\n")
        // The session is as good as before.
        try table.load(records)
    }

    @Test("keeps tables without columns, whose rows have no bytes")
    func noColumns() throws {
        let table = try PostgresLoadingTable([])
        try table.load([[], [], []])
        #expect(try table.content().hasPrefix("3\n"))
        #expect(try table.readBack().digest == ListedRecords.digest([[], [], []]))
    }

    @Test("leaves out the rowids of SQLite, and says which records it has instead")
    func rowid() throws {
        let table = try PostgresLoadingTable([("rowid", .int64, false), ("a", .int32, false)])
        func row(_ rowid: Int64, _ value: Int64) -> [UInt8] {
            record {
                $0.appendLong(rowid)
                $0.appendLong(value)
            }
        }
        let mapped = ListedRecords.digest([row(0, 1), row(0, 2)])
        #expect(try table.load([row(7, 1), row(Int64.min, 2)]) == .loaded(mapped: mapped))
        #expect(try table.readBack().digest == mapped)
        #expect(
            try table.database.sql(
                "SELECT mapped FROM sluice.sluice_ledger WHERE unit LIKE 'data/%'")
                == mapped.text + "\n")
    }

    @Test("tells which rows do not fit the dataset any more")
    func misfits() throws {
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", .decimal(precision: 5, scale: 2), false)],
            existing: "CREATE TABLE t(id bigint, v numeric)")
        try table.load([
            record {
                $0.appendLong(1)
                $0.appendUnscaled(12_345)
            }
        ])
        try table.database.sql(
            "INSERT INTO t VALUES (1099511627776, 1); INSERT INTO t VALUES (2, 1.234), (3, NULL)")
        let found = try table.readBack()
        #expect(found.digest.rowCount == 1)
        #expect(
            found.misfits.sorted() == [
                "row 2: id holds a value that is no int32",
                "row 3: v holds a value that is no decimal(5,2)",
                "row 4: v holds NULL in a column without NULL",
            ])
    }

    @Test("names rows that do not fit by their key, where it comes first")
    func misfitKeys() throws {
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", .int32, true)], key: ["id"],
            existing: "CREATE TABLE t(id bigint, v bigint)")
        try table.database.sql("INSERT INTO t VALUES (7, 1099511627776), (1099511627776, 1)")
        #expect(
            try table.readBack().misfits.sorted() == [
                "id = 7: v holds a value that is no int32",
                "row 2: id holds a value that is no int32",
            ])
    }

    @Test("tells which row the server refused, and nothing of its values")
    func refusedByServer() throws {
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", .text, false)], key: ["id"],
            existing:
                "CREATE TABLE t(id int PRIMARY KEY, v text CONSTRAINT short CHECK (v <> 'secret'))")
        func row(_ id: Int64, _ value: String) -> [UInt8] {
            record {
                $0.appendLong(id)
                text(value, into: &$0)
            }
        }
        let first = (1...30_000).map { row(Int64($0), "a") }
        let checked = failure(of: {
            try table.load(first + [row(40_000, "secret")] + [row(40_001, "b")])
        })
        #expect(checked?.row == 30_001)
        #expect(
            checked?.description == """
                new row for relation "t" violates check constraint "short" [23514]
                hint: The target's table is stricter than the source's; change it, or leave the table out.
                """)
        let twice = failure(of: { try table.load([row(1, "a"), row(2, "b"), row(1, "c")]) })
        #expect(twice?.row == 3)
        #expect(
            twice?.description == """
                duplicate key value violates unique constraint "t_pkey" [23505]
                hint: Two rows have the same key; was the table empty before the load?
                """)
        #expect(try table.database.sql("SELECT count(*) FROM t") == "0\n")
    }

    @Test(
        "finds a row's number in what the server says of a COPY, and a column's name",
        arguments: [
            ("COPY t, line 3, column v: \"a, line 9\"", 3, "v"), ("COPY t, line 17", 17, nil),
            ("PL/pgSQL function f() line 1 at RAISE\nCOPY t, line 4: \"1\t2\"", 4, nil),
            ("COPY \u{301}, line 5, column \u{301}", 5, "\u{301}"),
        ] as [(String, Int, String?)])
    func place(_ context: String, _ row: Int, _ column: String?) throws {
        let place = try #require(PostgresCopyPlace(context))
        #expect(place.row == row)
        #expect(place.column == column)
        #expect(PostgresCopyPlace("SQL function \"f\" statement 1") == nil)
    }
}
