internal import SluiceCore
internal import SluiceRecords

extension Name {
    /// As an identifier in SQL, whatever it consists of.
    var quoted: String { PostgresQuoting.doubled(text, "\"") }

    /// As a string literal in SQL, with standard_conforming_strings on.
    var literal: String { PostgresQuoting.doubled(text, "'") }

    /// Whether it is one of ours, which no export, comparison or check for emptiness sees (design
    /// §7).
    var isSluice: Bool { utf8.starts(with: "sluice".utf8) }
}

extension TableName {
    /// As a qualified identifier in SQL.
    var quoted: String {
        schema.map { "\($0.quoted).\(table.quoted)" } ?? table.quoted
    }
}

/// Text in SQL.
enum PostgresQuoting {
    /// A string literal, with standard_conforming_strings on.
    static func literal(_ text: String) -> String { doubled(text, "'") }

    /// By scalars: as characters a quote and a combining mark behind it are one.
    fileprivate static func doubled(_ text: String, _ mark: Unicode.Scalar) -> String {
        var output = ""
        output.unicodeScalars.append(mark)
        for scalar in text.unicodeScalars {
            if scalar == mark { output.unicodeScalars.append(mark) }
            output.unicodeScalars.append(scalar)
        }
        output.unicodeScalars.append(mark)
        return output
    }
}
