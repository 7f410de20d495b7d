import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Values of every type become records")
struct PostgresTypesTests {
    /// What a record holds of values, by the types of the select list.
    private func lines(_ columns: String, _ values: String) throws -> ExportedTable {
        let database = try PostgresDatabase()
        try database.sql("CREATE TABLE t(\(columns)); INSERT INTO t VALUES \(values)")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let exported = try Exported(snapshot, of: ["t"])
        try snapshot.close()
        return try exported["t"]
    }

    @Test("integers, booleans and floats keep every bit")
    func numbers() throws {
        let table = try lines(
            "a smallint, b int, c bigint, d oid, e bool, f real, g float8",
            """
            (-32768, -2147483648, -9223372036854775808, 4294967295, true, '-0', 5e-324),
            (32767, 2147483647, 9223372036854775807, 0, false, 'NaN', '-Infinity'),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL)
            """)
        #expect(
            table.types == ["int32", "int32", "int64", "int64", "boolean", "float32", "float64"])
        #expect(
            table.lines == [
                "-32768,-2147483648,-9223372036854775808,4294967295,true,-0.0,5e-324",
                "32767,2147483647,9223372036854775807,0,false,nan,-inf",
                "\\N,\\N,\\N,\\N,\\N,\\N,\\N",
            ])
    }

    @Test("numerics are decimals where precision and scale allow it, and text elsewhere")
    func numerics() throws {
        let table = try lines(
            "a numeric(38,10), b numeric(5), c numeric(5,5), d numeric(39,2), e numeric(4,-2), f numeric",
            """
            (-9999999999999999999999999999.9999999999, 0, 0.00001, 1.5, 12345, -0.00000000000000000001),
            (0.0000000001, 99999, -0.99999, 'NaN', -99, 1e30),
            ('NaN', 'NaN', NULL, 12345678901234567890123456789012345.67, 0, 'Infinity'),
            (10000.5, 10000, 0, 0, 999900, 10000.0001000)
            """)
        #expect(
            table.types == [
                "decimal(38,10)", "decimal(5,0)", "decimal(5,5)", "number text", "number text",
                "number text",
            ])
        #expect(
            table.lines == [
                "-9999999999999999999999999999.9999999999,0,0.00001,1.50,12300,"
                    + "\"-0.00000000000000000001\"",
                "0.0000000001,99999,-0.99999,NaN,\"-100\",1000000000000000000000000000000",
                "#100000000000000000000000000000000000000,#100000,\\N,"
                    + "12345678901234567890123456789012345.67,0,Infinity",
                "10000.5000000000,10000,0.00000,0.00,999900,10000.0001000",
            ])
        #expect(table.reserved == [1, 1, 0, 0, 0, 0])
    }

    @Test("a number's text is the server's own, whatever its digits")
    func numberText() throws {
        let database = try PostgresDatabase()
        try database.sql(
            """
            CREATE TABLE t(n numeric);
            INSERT INTO t SELECT (i * 7919 % 100003)::numeric * power(10::numeric, i % 61 - 30)
                * (1 - i % 2 * 2) FROM generate_series(0, 3000) i;
            INSERT INTO t SELECT trunc(1 / i::numeric, i % 60) FROM generate_series(1, 500) i;
            INSERT INTO t VALUES (power(10::numeric, 1000) + 1), (power(10::numeric, -1000));
            """)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let lines = try Exported(snapshot, of: ["t"])["t"].lines
        try snapshot.close()
        let printed = try database.sql("SELECT n FROM t ORDER BY ctid")
        let read = lines.map { String($0.filter { $0 != "\"" }) }
        #expect(read == printed.split(separator: "\n").map(String.init))
    }

    @Test("dates and times keep both ends and the infinities")
    func calendar() throws {
        let table = try lines(
            "a date, b time, c timestamp, d timestamptz, e timetz, f interval",
            """
            ('4714-11-24 BC', '24:00', '294276-12-31 23:59:59.999999', '-infinity', '12:00-03:30', '-1 mons 3 days'),
            ('infinity', '00:00:00.000001', 'infinity', '1969-12-31 23:59:59.999999Z', '1:00+2', '1 year'),
            ('1970-01-01', '12:30', '4714-11-24 00:00 BC', '2024-03-31 02:30+02', NULL, NULL)
            """)
        #expect(
            table.types == [
                "date", "time", "local timestamp", "timestamp", "server text", "server text",
            ])
        #expect(
            table.lines == [
                "-4713-11-24,24:00:00,#-9222426057709551617,#-9222425352054775808,"
                    + "12:00:00-03:30,\"-1 mons +3 days\"",
                "#-2147472692,00:00:00.000001,#-9222425352054775809,"
                    + "1969-12-31 23:59:59.999999Z,01:00:00+02,1 year",
                "1970-01-01,12:30:00,-4713-11-24 00:00:00,2024-03-31 00:30:00Z,\\N,\\N",
            ])
        #expect(table.reserved == [1, 0, 2, 1, 0, 0])
    }

    @Test("texts, documents, bits and bytes come as they are stored")
    func texts() throws {
        let table = try lines(
            """
            a char(4), b varchar(9), c text, d json, e jsonb, f uuid, g bit(3), h varbit, i bytea,
            j xml, k name
            """,
            """
            ('a', 'b  ', '', '{"a":  1.10}', '{"a":  1.10}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
                '101', '', '\\x00ff', '<?xml version="1.0"?><a/>', 'n')
            """)
        #expect(
            table.types == [
                "text", "text", "text", "json", "json", "uuid", "bit string", "bit string",
                "bytes", "server text", "text",
            ])
        #expect(
            table.lines == [
                "\"a   \",\"b  \",\"\",\"{\"\"a\"\":  1.10}\",\"{\"\"a\"\": 1.10}\","
                    + "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,101,\"\",\\x00ff,"
                    + "\"<?xml version=\"\"1.0\"\"?><a/>\",n"
            ])
    }

    @Test("everything else is the text of the type's own output function")
    func others() throws {
        let database = try PostgresDatabase()
        try database.sql(
            """
            CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"');
            CREATE DOMAIN price AS numeric(6,2); CREATE DOMAIN deal AS price CHECK (VALUE > 0);
            CREATE TYPE spot AS (x int, y text);
            CREATE TABLE t(a mood, b deal, c spot, d int[], e int4range, f inet, g money,
                h "char", i regclass, j refcursor, k mood[], l pg_lsn);
            INSERT INTO t VALUES ('it''s "ok"', 1.5, (1, 'a,b'), '[0:1]={1,NULL}', '(1,5]',
                '10.0.0.1', 1234.5, 'x', 'pg_class', 'cur', '{sad}', '16/B374D848'),
                (NULL, NULL, (NULL, NULL), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
            """)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let table = try Exported(snapshot, of: ["t"])["t"]
        try snapshot.close()
        #expect(table.types.prefix(3) == ["enum", "decimal(6,2)", "server text"])
        #expect(table.types.dropFirst(3).allSatisfy { $0 == "server text" })
        // A cast to text would give 10.0.0.1/32.
        #expect(
            table.lines == [
                "\"it's \"\"ok\"\"\",1.50,\"(1,\"\"a,b\"\")\",\"[0:1]={1,NULL}\",\"[2,6)\","
                    + "10.0.0.1,\"$1,234.50\",x,pg_class,cur,\"{sad}\",16/B374D848",
                "\\N,\\N,\"(,)\",\\N,\\N,\\N,\\N,\\N,\\N,\\N,\\N,\\N",
            ])
    }

    @Test("defaults that are literals are known for such, others are not")
    func defaults() {
        let texts: [(String, String?)] = [
            ("42", "42"), ("'-1'::integer", "-1"), ("(-1)", nil), ("'a''b'::text", "'a''b'"),
            ("'x'::character varying", "'x'"), ("true", "1"), ("now()", nil),
            ("NULL::character varying", "NULL"), ("'2024-01-01'::date", "'2024-01-01'"),
            ("1.5", "1.5"), ("1.2.3", nil), ("'{}'::integer[]", nil), ("'a'::text || 'b'", nil),
            ("nextval('s'::regclass)", nil), ("'1 day'::interval", nil), ("'abc", nil), ("", nil),
        ]
        for (text, literal) in texts {
            #expect(PostgresDefault.literal(text) == literal, "\(text)")
        }
    }
}
