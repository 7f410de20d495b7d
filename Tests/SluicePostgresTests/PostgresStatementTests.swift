import SluiceCore
import SluiceRecords
import Testing

@testable import SluicePostgres

@Suite("What can be told of a statement")
struct PostgresStatementTests {
    @Test(
        "its table",
        arguments: [
            ("CREATE TABLE public.t (a int)", "public.t"),
            ("CREATE UNLOGGED TABLE public.t (a int)", "public.t"),
            ("CREATE FOREIGN TABLE \"a.b\".\"c d\" (a int) SERVER s", "a.b.c d"),
            ("ALTER TABLE ONLY public.t ADD CONSTRAINT c CHECK (a > 0)", "public.t"),
            ("CREATE UNIQUE INDEX i ON ONLY public.t USING btree (a)", "public.t"),
            (
                "CREATE CONSTRAINT TRIGGER x AFTER UPDATE OF a ON public.t EXECUTE FUNCTION f()",
                "public.t"
            ),
            ("CREATE POLICY p ON public.t TO r USING (true)", "public.t"),
            ("CREATE RULE r AS\n    ON INSERT TO public.t DO INSTEAD NOTHING", "public.t"),
            ("CREATE STATISTICS public.s (ndistinct) ON a, b FROM public.t", "public.t"),
            ("COMMENT ON COLUMN public.t.a IS 'x'", "public.t"),
            ("COMMENT ON CONSTRAINT c ON public.t IS 'x'", "public.t"),
            ("COMMENT ON TRIGGER \"on\" ON public.t IS 'x'", "public.t"),
            ("ALTER SEQUENCE public.s OWNED BY public.t.a", "public.t"),
            ("GRANT SELECT ON TABLE public.t TO r", "public.t"),
            ("COMMENT ON CONSTRAINT c ON DOMAIN public.d IS 'x'", nil),
            ("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'select 1'", nil),
            ("CREATE SCHEMA public", nil),
            ("GRANT SELECT ON SEQUENCE public.s TO r", nil),
        ] as [(String, String?)])
    func table(_ sql: String, _ table: String?) {
        #expect(PostgresStatement(sql).table?.description == table)
    }

    @Test(
        "the roles that it names",
        arguments: [
            ("ALTER TABLE public.t OWNER TO shop", ["shop"]),
            ("ALTER FUNCTION public.f(a integer) OWNER TO \"App \"\"x\"\"\"", ["App \"x\""]),
            (
                "GRANT SELECT(a),UPDATE ON TABLE public.t TO a, GROUP \"B\" WITH GRANT OPTION",
                ["a", "B"]
            ),
            ("REVOKE ALL ON SCHEMA public FROM PUBLIC", []),
            ("SET SESSION AUTHORIZATION shop", ["shop"]),
            (
                "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA public GRANT ALL ON TABLES TO b",
                ["a", "b"]
            ),
            ("CREATE POLICY p ON public.t FOR SELECT TO x, y USING ((u = 'TO z'))", ["x", "y"]),
            ("CREATE POLICY p ON public.t USING ((a > 1))", []),
            ("CREATE USER MAPPING FOR u SERVER s OPTIONS (password 'x')", ["u"]),
            ("COMMENT ON TABLE public.t IS 'OWNER TO x'", []),
        ] as [(String, [String])])
    func roles(_ sql: String, _ roles: [String]) {
        #expect(PostgresStatement(sql).roles == roles)
    }

    @Test("what takes the object back")
    func drops() throws {
        func drop(_ sql: String) -> String? {
            let found = PostgresStatement.owned(sql) ?? PostgresStatement.created(sql)
            return found.map { PostgresDrop(kind: $0.kind, identity: $0.identity).sql }
        }
        #expect(
            drop("ALTER FUNCTION public.f(a integer, OUT b text) OWNER TO x")
                == "DROP FUNCTION IF EXISTS public.f(a integer, OUT b text)")
        #expect(
            drop("ALTER OPERATOR CLASS public.c USING btree OWNER TO x")
                == "DROP OPERATOR CLASS IF EXISTS public.c USING btree")
        #expect(
            drop("CREATE CAST (app.level AS integer) WITH FUNCTION app.f(app.level)")
                == "DROP CAST IF EXISTS (app.level AS integer)")
        #expect(
            drop("CREATE USER MAPPING FOR u SERVER s OPTIONS (a 'b')")
                == "DROP USER MAPPING IF EXISTS FOR u SERVER s")
        #expect(drop("CREATE TABLE public.t (a int)") == nil)
        let text = "DROP MATERIALIZED VIEW IF EXISTS public.\"IF EXISTS \""
        #expect(PostgresDrop(text)?.sql == text)
        let unlinking = PostgresDrop(kind: PostgresDrop.largeObject, identity: "1, 2").sql
        #expect(PostgresDrop(unlinking)?.sql == unlinking)
        #expect(PostgresDrop("DROP TABLE IF EXISTS t; DELETE FROM u") == nil)
        #expect(PostgresDrop("DELETE FROM u") == nil)
    }

    @Test("the parts of a constraint")
    func constraint() throws {
        let plain = try #require(
            PostgresConstraintText(
                "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT \"a\"\"b\" PRIMARY KEY (a, \"(\")"))
        #expect(plain.name == "a\"b")
        #expect(plain.words == "PRIMARY KEY")
        #expect(plain.columns == "(a, \"(\")")
        #expect(plain.isPlain)
        let deferrable = try #require(
            PostgresConstraintText(
                "ALTER TABLE ONLY t ADD CONSTRAINT c UNIQUE (a) DEFERRABLE INITIALLY DEFERRED"))
        #expect(!deferrable.isPlain)
        #expect(
            PostgresConstraintText("ALTER TABLE ONLY t ALTER COLUMN a SET STATISTICS 5") == nil)
    }
}
