internal import SluiceCore
internal import SluiceRecords

/// How the binary form of a column's values becomes a field, decided once per column.
enum PostgresReading: Hashable, Sendable {
    case boolean
    case int16
    case int32
    case int64
    /// An OID: 32 bits without a sign.
    case uint32
    case float32
    case float64
    case decimal(precision: Int, scale: Int)
    case number
    /// Bytes as they come: text, a label, what an output function printed.
    case text
    /// jsonb: a version and text.
    case versionedText
    case bytes
    case date
    case time
    case timestamp
    case uuid
    case bits
}

/// One row of `pg_type`.
struct PostgresType: Sendable {
    var name: Name
    /// In `pg_catalog`, so that its name says what it is.
    var isBuiltIn: Bool
    /// `typtype`: b, c, d, e, m, p, r.
    var form: String
    /// What a domain is made over, with the modifier it has there.
    var base: Int
    var baseModifier: Int
    /// The function that prints it, as SQL names it.
    var output: String
    /// What that function takes, where it is made for another type.
    var outputTakes: String?
}

/// What a column's values are in a record, and how they are asked for.
struct PostgresColumnType: Hashable, Sendable {
    var type: ColumnType
    var reading: PostgresReading
    /// What is around the column in the select list; `""` and `""`: nothing.
    var before = ""
    var after = ""

    /// - Parameter modifier: `atttypmod`; of a domain that of its base.
    init(_ type: PostgresType, modifier: Int) {
        if type.form == "e" {
            self.init(.enumeration, .text)
        } else if type.isBuiltIn, type.form == "b",
            let known = PostgresColumnType(builtIn: type.name.text, modifier: modifier)
        {
            self = known
        } else {
            // By the output function and not by a cast, which may print something else (inet).
            self.init(.serverText, .text)
            before = "textin(\(type.output)("
            after = type.outputTakes.map { "::\($0)))" } ?? "))"
        }
    }

    private init(_ type: ColumnType, _ reading: PostgresReading) {
        self.type = type
        self.reading = reading
    }

    private init?(builtIn name: String, modifier: Int) {
        switch name {
        case "bool": self.init(.boolean, .boolean)
        case "int2": self.init(.int32, .int16)
        case "int4": self.init(.int32, .int32)
        case "int8": self.init(.int64, .int64)
        case "oid": self.init(.int64, .uint32)
        case "float4": self.init(.float32, .float32)
        case "float8": self.init(.float64, .float64)
        case "numeric": self = PostgresColumnType.numeric(modifier)
        case "text", "varchar", "bpchar", "name": self.init(.text, .text)
        case "bytea": self.init(.bytes, .bytes)
        case "date": self.init(.date, .date)
        case "time": self.init(.time, .time)
        case "timestamp": self.init(.localTimestamp, .timestamp)
        case "timestamptz": self.init(.timestamp, .timestamp)
        case "uuid": self.init(.uuid, .uuid)
        case "json": self.init(.json, .text)
        case "jsonb": self.init(.json, .versionedText)
        case "bit", "varbit": self.init(.bitString, .bits)
        case "xml":
            // Its output function drops the declaration; the cast gives what is stored.
            self.init(.serverText, .text)
            after = "::text"
        default: return nil
        }
    }

    /// A declared precision and scale stand in the modifier, shifted by a header's length.
    private static func numeric(_ modifier: Int) -> PostgresColumnType {
        guard modifier >= 4 else { return PostgresColumnType(.numberText, .number) }
        let precision = (modifier - 4) >> 16 & 0xFFFF
        let scale = ((modifier - 4) & 0x7FF ^ 1024) - 1024
        guard (1...38).contains(precision), (0...precision).contains(scale) else {
            return PostgresColumnType(.numberText, .number)
        }
        return PostgresColumnType(
            .decimal(precision: precision, scale: scale),
            .decimal(precision: precision, scale: scale))
    }
}

/// All types of a database, for finding out what a column is.
struct PostgresTypes: Sendable {
    private let types: [Int: PostgresType]

    init(reading connection: PostgresConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT t.oid, t.typname, t.typnamespace = 'pg_catalog'::regnamespace, t.typtype,
                t.typbasetype, t.typtypmod, t.typoutput::regproc,
                (SELECT a.oid::regtype FROM pg_type a
                    WHERE a.oid = p.proargtypes[0] AND a.oid <> t.oid AND a.typtype <> 'p')
            FROM pg_type t JOIN pg_proc p ON p.oid = t.typoutput
            """)
        var types: [Int: PostgresType] = [:]
        for row in rows.rows {
            types[rows.integer(row, 0)] = PostgresType(
                name: try rows.name(row, 1), isBuiltIn: rows.boolean(row, 2),
                form: rows.text(row, 3), base: rows.integer(row, 4),
                baseModifier: rows.integer(row, 5), output: rows.text(row, 6),
                outputTakes: rows.optionalText(row, 7))
        }
        self.types = types
    }

    /// - Parameter modifier: `atttypmod`.
    func columnType(_ number: Int, modifier: Int) throws(Failure) -> PostgresColumnType {
        var number = number
        var modifier = modifier
        // A domain's values are its base type's; domains over domains end somewhere.
        while let type = types[number] {
            guard type.form == "d" else { return PostgresColumnType(type, modifier: modifier) }
            number = type.base
            modifier = type.baseModifier
        }
        throw Failure(.bug, "a column has the type \(number), which pg_type does not have")
    }
}
