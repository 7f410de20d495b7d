internal import SluiceCore
public import SluiceRecords

/// What PostgreSQL's types are in records, and records in its columns, for `docs/types.md`.
public enum PostgresTypeTable {
    public static let table = TypeTable(
        engine: PostgresTarget.engineName, title: "PostgreSQL", origins: origins,
        columns: columns,
        refusals: [
            "Texts with a NUL character.",
            "Dates and timestamps that no calendar has, which MySQL keeps (0000-00-00).",
            "Times below zero or beyond 24:00:00.",
        ],
        declaration: { field, sourceEngine in
            PostgresMapping.declaration(
                for: field, isSameEngine: sourceEngine == PostgresTarget.engineName)
        })

    private static var origins: [TypeTable.Origin] {
        let declared: [(String, name: String, modifier: Int)] = [
            ("boolean", "bool", -1), ("smallint", "int2", -1), ("integer", "int4", -1),
            ("bigint", "int8", -1), ("oid", "oid", -1), ("real", "float4", -1),
            ("double precision", "float8", -1), ("numeric(12,2)", "numeric", 12 << 16 + 2 + 4),
            ("numeric", "numeric", -1), ("text", "text", -1),
            ("character varying(80)", "varchar", 84), ("character(10)", "bpchar", 14),
            ("bytea", "bytea", -1), ("date", "date", -1), ("time without time zone", "time", -1),
            ("timestamp without time zone", "timestamp", -1),
            ("timestamp with time zone", "timestamptz", -1), ("uuid", "uuid", -1),
            ("json", "json", -1), ("jsonb", "jsonb", -1), ("bit(8)", "bit", 8),
            ("bit varying", "varbit", -1), ("interval", "interval", -1), ("inet", "inet", -1),
            ("integer[]", "_int4", -1), ("int4range", "int4range", -1),
        ]
        let known = declared.map { column in
            let type = PostgresType(
                name: Name(column.name), isBuiltIn: true, form: "b", base: 0, baseModifier: -1,
                output: "")
            return TypeTable.Origin(
                column.0, PostgresColumnType(type, modifier: column.modifier).type)
        }
        return known + [TypeTable.Origin("public.mood", .enumeration, remark: "an enum")]
    }

    private static var columns: [TypeTable.Column] {
        let types: [(shown: String, name: String)] = [
            ("boolean", "bool"), ("smallint, integer, bigint", "int8"), ("oid", "oid"),
            ("real", "float4"), ("double precision", "float8"), ("numeric", "numeric"),
            ("text, varchar, char", "text"), ("bytea", "bytea"), ("date", "date"),
            ("time", "time"), ("timestamp", "timestamp"), ("timestamptz", "timestamptz"),
            ("uuid", "uuid"), ("json", "json"), ("jsonb", "jsonb"), ("bit, bit varying", "varbit"),
            ("others, by their text", "inet"),
        ]
        let plain = types.map { column in
            let storage = PostgresStorage(builtIn: column.name, modifier: -1)
            return TypeTable.Column(column.shown) { type in
                PostgresMapping.fit(type, in: storage, keepsJSON: false) != .never
            }
        }
        let label = TypeTable.Column("enums") { type in
            PostgresMapping.fit(type, in: .label, keepsJSON: false) != .never
        }
        return plain + [label]
    }
}
