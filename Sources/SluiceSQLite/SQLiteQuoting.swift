internal import SluiceCore

extension Name {
    /// As an identifier in SQL, whatever it consists of.
    var quoted: String {
        var output = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { output += "\"" }
            output.unicodeScalars.append(scalar)
        }
        return output + "\""
    }

    /// As SQLite compares names: ASCII letters of either case are equal, everything else is bytes.
    var folded: Name {
        Name(
            String(
                decoding: utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self))
    }

    /// As a string literal in SQL.
    var literal: String {
        var output = "'"
        for scalar in text.unicodeScalars {
            if scalar == "'" { output += "'" }
            output.unicodeScalars.append(scalar)
        }
        return output + "'"
    }

    /// Whether it is one of ours, which no export, comparison or check for emptiness sees (design
    /// §7).
    var isSluice: Bool { folded.utf8.starts(with: "sluice".utf8) }
}
