import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("pg_dump's text")
struct PostgresDumpTextTests {
    private func entry(
        _ name: String, _ kind: String, schema: String = "public", _ sql: String
    ) -> String {
        "--\n-- Name: \(name); Type: \(kind); Schema: \(schema); Owner: shop\n--\n\n\(sql)\n\n\n"
    }

    private func objects(_ text: String) throws -> [SchemaText.Object] {
        try PostgresDumpText.objects(in: Array(text.utf8))
    }

    @Test("is cut at its entry headers, and each object knows its table")
    func cut() throws {
        let text =
            "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"
            + "SELECT pg_catalog.set_config('search_path', '', false);\n\n"
            + entry("shop", "SCHEMA", schema: "-", "CREATE SCHEMA shop;")
            + entry("orders", "TABLE", "CREATE TABLE public.orders (\n    id integer\n);")
            + entry(
                "orders orders_pkey", "CONSTRAINT",
                "ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);")
            + entry(
                "by day", "INDEX",
                "CREATE INDEX \"by day\" ON shop.\"Of \"\"Days\" USING btree (a);")
            + "--\n-- PostgreSQL database dump complete\n--\n"
        let found = try objects(text)
        #expect(found.map(\.kind) == ["SCHEMA", "TABLE", "CONSTRAINT", "INDEX"])
        #expect(found[0].name == TableName("shop"))
        #expect(found[0].sql == "CREATE SCHEMA shop;")
        #expect(
            found.map(\.table?.description) == [
                nil, "public.orders", "public.orders", "shop.Of \"Days",
            ])
        #expect(found[1].sql == "CREATE TABLE public.orders (\n    id integer\n);")
    }

    @Test("keeps what looks like a header or a command within quotes as it is")
    func quotes() throws {
        let body =
            "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $_$\n\\connect away\n"
            + "-- Name: x; Type: TABLE; Schema: y; Owner: z\nselect ';'$_$;"
        let comment =
            "COMMENT ON TABLE public.t IS 'a;\n--\n-- Name: x; Type: TABLE; Schema: y; Owner: z\n'';';"
        let escaped = "COMMENT ON TABLE public.t IS E'a\\';\\\\';"
        let found = try objects(
            entry("f()", "FUNCTION", body) + entry("TABLE t", "COMMENT", comment)
                + entry("TABLE t", "COMMENT", escaped))
        #expect(found.map(\.sql) == [body, comment, escaped])
    }

    @Test("keeps a routine with a body of SQL, and a rule with several commands, in one piece")
    func semicolonsInside() throws {
        let routine =
            "CREATE PROCEDURE public.p()\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT CASE WHEN true"
            + " THEN 1 END;\n SELECT 2;\nEND;"
        let rule =
            "CREATE RULE r AS\n    ON INSERT TO public.t DO INSTEAD ( DELETE FROM public.u;\n"
            + " SELECT 1;\n);"
        #expect(PostgresTokens.statements(in: Array(routine.utf8))?.count == 1)
        let found = try objects(
            entry("p()", "PROCEDURE", routine) + entry("t r", "RULE", rule))
        #expect(found.map(\.sql) == [routine, rule])
        #expect(found[1].table?.description == "public.t")
    }

    @Test("loses its guard against psql, and nothing else that is for psql is let through")
    func commands() throws {
        let text = "\\restrict abcDEF\n\n" + entry("t", "TABLE", "CREATE TABLE public.t ();")
        #expect(
            try objects(text + "\\unrestrict abcDEF\n").map(\.sql) == ["CREATE TABLE public.t ();"])
        let found = failure(of: { try objects(text + "\\connect other\n") })
        #expect(found?.kind == .refused)
        #expect(
            found?.description == """
                pg_dump wrote a command for psql that sluice does not know (\\connect)
                hint: Is pg_dump newer than this build of sluice?
                """)
    }

    @Test("hands settings between entries to those that they are for")
    func settings() throws {
        let text =
            entry("a", "TABLE", "CREATE TABLE public.a ();")
            + "SET default_tablespace = fast;\n\nSET default_table_access_method = heap;\n\n"
            + entry("b", "TABLE", "CREATE TABLE public.b ();")
            + "SET default_tablespace = '';\n\n" + entry("c", "TABLE", "CREATE TABLE public.c ();")
        #expect(
            try objects(text).map(\.sql) == [
                "CREATE TABLE public.a ();",
                "SET LOCAL default_tablespace = fast;\nCREATE TABLE public.b ();\n"
                    + "SET LOCAL default_tablespace = '';",
                "CREATE TABLE public.c ();",
            ])
    }

    @Test("is refused when it is cut off, or has statements that belong to nothing")
    func damage() {
        let whole = entry("t", "TABLE", "CREATE TABLE public.t (a text DEFAULT 'x');")
        let cut = failure(of: { try objects(String(whole.prefix(whole.count - 8))) })
        #expect(
            cut?.description == """
                pg_dump's text ends inside a statement
                hint: Run pg_dump by itself to see why; is its disk or memory full?
                """)
        #expect(
            failure(of: { try objects("DROP TABLE t;\n" + whole) })?.message
                == "pg_dump wrote statements that belong to no entry")
        #expect(
            failure(of: { try objects("/* never closed") })?.message
                == "pg_dump's text ends inside a statement")
    }
}
