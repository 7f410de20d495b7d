internal import SluiceCore
internal import SluiceRecords

extension Name {
    /// As an identifier in SQL, whatever it consists of.
    var quoted: String { MySQLQuoting.identifier(text) }

    /// As a string literal in SQL.
    var literal: String { MySQLQuoting.literal(text) }

    /// Whether it is one of ours, which no export, comparison or check for emptiness sees (design
    /// §7).
    var isSluice: Bool { utf8.starts(with: "sluice".utf8) }
}

extension TableName {
    /// As an identifier in SQL, with the database where one is named.
    var quoted: String {
        schema.map { "\($0.quoted).\(table.quoted)" } ?? table.quoted
    }
}

/// Text in SQL, under the `sql_mode` of `MySQLSettings`: backslashes escape.
enum MySQLQuoting {
    static func identifier(_ text: String) -> String {
        "`\(doubled(text, ["`"]))`"
    }

    /// A string literal.
    static func literal(_ text: String) -> String {
        "'\(doubled(text, ["'", "\\"]))'"
    }

    /// A literal of the bytes as they are: `x'00ff'`.
    static func literal(_ bytes: UnsafeRawBufferPointer) -> String {
        "x'\(Hexadecimal.string(bytes))'"
    }

    /// By scalars: as characters a quote and a combining mark behind it are one.
    private static func doubled(_ text: String, _ marks: [Unicode.Scalar]) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            if marks.contains(scalar) { output.unicodeScalars.append(scalar) }
            output.unicodeScalars.append(scalar)
        }
        return output
    }
}
