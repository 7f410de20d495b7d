internal import SluiceCore
public import SluiceRecords

/// What SQLite's values are in records, and records in its columns, for `docs/types.md`.
public enum SQLiteTypeTable {
    public static let table = TypeTable(
        engine: SQLiteTarget.engineName, title: "SQLite", origins: origins, columns: columns,
        refusals: [
            "Dates, timestamps and decimals that only their own engine has: infinities, NaN,"
                + " 0000-00-00.",
            "Numbers and texts that a column's affinity would turn into something else.",
        ],
        declaration: { field, sourceEngine in
            let declared = SQLiteMapping.declaration(
                for: field, isSameEngine: sourceEngine == SQLiteTarget.engineName)
            return declared.isEmpty ? "(nothing)" : declared
        })

    /// By what is in a column, not by what it is declared as.
    private static let origins: [TypeTable.Origin] = [
        .init("INTEGER", .int64, remark: "all values are integers"),
        .init("REAL", .float64, remark: "all values are floating-point numbers"),
        .init("TEXT", .text, remark: "all values are texts in UTF-8"),
        .init("BLOB", .bytes, remark: "all values are blobs"),
        .init("", .any, remark: "more than one kind of value"),
    ]

    private static var columns: [TypeTable.Column] {
        ["INTEGER", "NUMERIC", "REAL", "TEXT", "BLOB"].map { declared in
            let affinity = SQLiteAffinity(declared: declared, isStrict: false)
            return TypeTable.Column(declared) { type in
                SQLiteMapping.fit(type, in: affinity) != .never
            }
        }
    }
}
