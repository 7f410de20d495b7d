/// Plain text in columns of a terminal.
enum TextLayout {
    static let width = 80

    /// Lines of at most `width` columns, broken at spaces; a longer word has a line of its own.
    static func wrapped(_ text: String, width: Int = width, indent: Int = 0) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + 1 + word.count > width {
                lines.append(margin + line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        if !line.isEmpty { lines.append(margin + line) }
        return lines
    }

    /// Left column, then the text beside it or, where the left side is too long, in the next line.
    static func entry(_ left: String, _ text: String, column: Int) -> [String] {
        var lines = wrapped(text, indent: column)
        guard left.count + 4 <= column, let first = lines.first else {
            return ["  " + left] + lines
        }
        lines[0] = "  " + padded(left, column - 2) + first.dropFirst(column)
        return lines
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
