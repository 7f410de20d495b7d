/// How many columns of a terminal a text takes.
enum TerminalText {
    /// Scripts whose characters are two columns wide, and pictures.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x25FD...0x25FE,
        0x2614...0x2615, 0x2648...0x2653, 0x2693...0x2693, 0x26A1...0x26A1, 0x26AA...0x26AB,
        0x26BD...0x26BE, 0x26C4...0x26C5, 0x26D4...0x26D4, 0x26EA...0x26EA, 0x26F2...0x26F5,
        0x2705...0x2705, 0x270A...0x270B, 0x2728...0x2728, 0x274C...0x274C, 0x2753...0x2757,
        0x2795...0x2797, 0x27B0...0x27B0, 0x2B1B...0x2B1C, 0x2B50...0x2B55, 0x2E80...0x303E,
        0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
        0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
        0x16FE0...0x18AFF, 0x1B000...0x1B2FF, 0x1F004...0x1F004, 0x1F0CF...0x1F0CF,
        0x1F18E...0x1F19A, 0x1F200...0x1F320, 0x1F32D...0x1F64F, 0x1F680...0x1F6FF,
        0x1F7E0...0x1F7EB, 0x1F90C...0x1FAFF, 0x20000...0x3FFFD,
    ]

    static func columns(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + columns($1) }
    }

    static func columns(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }

    /// The text without what would command the terminal: names in a foreign database may hold
    /// anything.
    ///
    /// - Parameter keeping: control characters that stay.
    static func plain(_ text: String, keeping: Set<Unicode.Scalar> = []) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { isControl($0) && !keeping.contains($0) ? "\u{FFFD}" : $0 }
            ))
    }

    /// The text cut to so many columns, with `…` where something is missing; control characters as
    /// `�`.
    static func fitted(_ text: String, _ width: Int) -> String {
        let plain = plain(text)
        guard columns(plain) > width else { return plain }
        guard width > 0 else { return "" }
        var output = String.UnicodeScalarView()
        var used = 0
        for scalar in plain.unicodeScalars {
            let next = used + columns(scalar)
            if next > width - 1 { break }
            output.append(scalar)
            used = next
        }
        return String(output) + "…"
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate: true
        default: false
        }
    }
}
