extension JSON {
    /// Compact text: no spaces, members in their order.
    public var compact: String {
        var output = ""
        write(into: &output, indent: nil)
        return output
    }

    /// Text for people: two spaces of indent, a line per member.
    public var pretty: String {
        var output = ""
        write(into: &output, indent: 0)
        return output
    }

    private func write(into output: inout String, indent: Int?) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .int(let value): output += String(value)
        case .double(let value): output += value.isFinite ? "\(value)" : "null"
        case .string(let text): JSON.quote(text, into: &output)
        case .array(let elements):
            JSON.write(
                elements, between: "[", "]", into: &output, indent: indent
            ) { element, output, inner in
                element.write(into: &output, indent: inner)
            }
        case .object(let members):
            JSON.write(
                members, between: "{", "}", into: &output, indent: indent
            ) { member, output, inner in
                JSON.quote(member.key, into: &output)
                output += inner == nil ? ":" : ": "
                member.value.write(into: &output, indent: inner)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], between open: String, _ close: String, into output: inout String,
        indent: Int?, _ writeItem: (Item, inout String, Int?) -> Void
    ) {
        output += open
        let inner = indent.map { $0 + 2 }
        for (index, item) in items.enumerated() {
            if index > 0 { output += "," }
            if let inner { output += "\n" + String(repeating: " ", count: inner) }
            writeItem(item, &output, inner)
        }
        if let indent, !items.isEmpty { output += "\n" + String(repeating: " ", count: indent) }
        output += close
    }

    private static func quote(_ text: String, into output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{00}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
