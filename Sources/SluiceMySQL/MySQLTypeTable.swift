internal import SluiceCore
public import SluiceRecords

/// What MySQL's types are in records, and records in its columns, for `docs/types.md`.
public enum MySQLTypeTable {
    private static let flavor = MySQLFlavor("10.11.0-MariaDB")

    public static let table = TypeTable(
        engine: MySQLTarget.engineName, title: "MariaDB", origins: origins, columns: columns,
        refusals: [
            "NaN, the infinities and the floating-point number -0.",
            "Dates and timestamps before the year 0 and behind the year 9999, PostgreSQL's"
                + " infinities among them; in a TIMESTAMP what is not within 1970 to 2038.",
            "Texts that end in a blank, in a CHAR column.",
        ],
        declaration: { field, sourceEngine in
            MySQLDeclarations(flavor: flavor, sourceEngine: sourceEngine).declaration(for: field)
        })

    /// Declarations as the server prints them, with what `information_schema` says beside.
    private static let declarations:
        [(name: String, declared: String, precision: Int, scale: Int?, isJSON: Bool)] = [
            ("tinyint", "tinyint(1)", 3, 0, false), ("smallint", "smallint(6)", 5, 0, false),
            ("mediumint", "mediumint(9)", 7, 0, false), ("int", "int(11)", 10, 0, false),
            ("int", "int(10) unsigned", 10, 0, false), ("bigint", "bigint(20)", 19, 0, false),
            ("bigint", "bigint(20) unsigned", 20, 0, false),
            ("decimal", "decimal(12,2)", 12, 2, false),
            ("decimal", "decimal(65,30)", 65, 30, false),
            ("float", "float", 12, nil, false), ("double", "double", 22, nil, false),
            ("bit", "bit(8)", 8, nil, false), ("char", "char(10)", 0, nil, false),
            ("varchar", "varchar(80)", 0, nil, false), ("text", "text", 0, nil, false),
            ("longtext", "json", 0, nil, true), ("binary", "binary(16)", 0, nil, false),
            ("varbinary", "varbinary(80)", 0, nil, false), ("blob", "blob", 0, nil, false),
            ("enum", "enum('a','b')", 0, nil, false), ("set", "set('a','b')", 0, nil, false),
            ("date", "date", 0, nil, false), ("time", "time(6)", 0, nil, false),
            ("datetime", "datetime(6)", 0, nil, false),
            ("timestamp", "timestamp(6)", 0, nil, false), ("year", "year(4)", 0, nil, false),
            ("uuid", "uuid", 0, nil, false), ("inet6", "inet6", 0, nil, false),
            ("point", "point", 0, nil, false),
        ]

    private static var origins: [TypeTable.Origin] {
        declarations.compactMap { column in
            MySQLColumnType(
                MySQLColumnType.Description(
                    name: column.name, declared: column.declared, precision: column.precision,
                    scale: column.scale, isJSON: column.isJSON)
            ).map { TypeTable.Origin(column.declared, $0.type) }
        }
    }

    private static var columns: [TypeTable.Column] {
        let types: [(shown: String, name: String, declared: String)] = [
            ("tinyint … bigint", "bigint", "bigint(20)"), ("float", "float", "float"),
            ("double", "double", "double"), ("decimal", "decimal", "decimal(12,2)"),
            ("bit(n)", "bit", "bit(8)"), ("year", "year", "year(4)"), ("date", "date", "date"),
            ("time", "time", "time(6)"), ("datetime", "datetime", "datetime(6)"),
            ("timestamp", "timestamp", "timestamp(6)"), ("char", "char", "char(10)"),
            ("varchar, text", "text", "text"), ("binary, varbinary, blob", "blob", "blob"),
            ("enum", "enum", "enum('a')"), ("set", "set", "set('a')"), ("uuid", "uuid", "uuid"),
            ("inet4, inet6", "inet6", "inet6"), ("geometry", "geometry", "geometry"),
        ]
        return types.map { column in
            let storage = MySQLStorage(
                dataType: column.name, type: column.declared, length: nil, precision: 12,
                scale: 2, digits: 6, characterSet: "utf8mb4")
            return TypeTable.Column(column.shown) { type in
                MySQLMapping.fit(type, in: storage, isSame: false) == .exact
            }
        }
    }
}
