internal import SluiceCore

/// What is said of the collations of columns, which other engines do not have.
enum MySQLCollations {
    static func omissions(_ columns: [(name: Name, collation: String?)]) -> [String] {
        var names: [String: [String]] = [:]
        for case (let name, let collation?) in columns {
            names[collation, default: []].append(name.text)
        }
        return names.sorted { $0.key < $1.key }.map { collation, names in
            "collation \(collation) of \(names.joined(separator: ", "))"
        }
    }

    /// The collation at the end of a declaration: `char(3) CHARACTER SET ascii COLLATE ascii_bin`.
    static func collation(in declared: String) -> String? {
        let words = declared.split(separator: " ")
        guard words.count > 2, words[words.count - 2] == "COLLATE" else { return nil }
        return String(words[words.count - 1])
    }
}
