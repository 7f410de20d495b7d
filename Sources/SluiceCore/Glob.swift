/// A pattern for table names: `*`, `?`, `[a-z]`, `[!a-z]`, and a backslash before a character that
/// is meant as it is.
///
/// It is matched against `schema.table` and against `table` alone, case and all, scalar by scalar:
/// two ways to write "é" are two names. A `*` also matches dots.
public struct Glob: Sendable, Hashable {
    private enum Element: Hashable, Sendable {
        case one(Unicode.Scalar)
        case any
        case anyRun
        case among([ClosedRange<Unicode.Scalar>], isNegated: Bool)

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .one(let wanted): scalar == wanted
            case .any, .anyRun: true
            case .among(let ranges, let isNegated):
                ranges.contains { $0.contains(scalar) } != isNegated
            }
        }
    }

    /// As it was written.
    public let pattern: String
    private let elements: [Element]

    /// - Throws: a usage failure that says what is wrong with the pattern.
    public init(_ pattern: String) throws(Failure) {
        self.pattern = pattern
        var reader = PatternReader(pattern)
        var elements: [Element] = []
        while let scalar = reader.take() {
            switch scalar {
            case "*": if elements.last != .anyRun { elements.append(.anyRun) }
            case "?": elements.append(.any)
            case "[":
                let (ranges, isNegated) = try reader.brackets()
                elements.append(.among(ranges, isNegated: isNegated))
            case "\\": elements.append(.one(try reader.escaped()))
            default: elements.append(.one(scalar))
            }
        }
        guard !elements.isEmpty else { throw Failure(.usage, "a table pattern is empty") }
        self.elements = elements
    }

    /// Whether it stands for this table.
    public func matches(_ name: TableName) -> Bool {
        if matches(name.table.text) { return true }
        return name.schema != nil && matches(name.description)
    }

    /// On a mismatch only the last `*` takes one scalar more, so the time is at most pattern ×
    /// name.
    private func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var place = 0
        var element = 0
        var retry: (element: Int, place: Int)?
        while place < scalars.count {
            if element < elements.count, elements[element] == .anyRun {
                retry = (element + 1, place)
                element += 1
            } else if element < elements.count, elements[element].matches(scalars[place]) {
                element += 1
                place += 1
            } else if let last = retry {
                retry = (last.element, last.place + 1)
                element = last.element
                place = last.place + 1
            } else {
                return false
            }
        }
        return elements[element...].allSatisfy { $0 == .anyRun }
    }
}

private struct PatternReader {
    let pattern: String
    var rest: Substring.UnicodeScalarView

    init(_ pattern: String) {
        self.pattern = pattern
        rest = Substring(pattern).unicodeScalars
    }

    mutating func take() -> Unicode.Scalar? { rest.popFirst() }

    mutating func escaped() throws(Failure) -> Unicode.Scalar {
        guard let scalar = take() else {
            throw Failure(
                .usage, "the table pattern '\(pattern)' ends in a backslash",
                hint: "Write two backslashes for one that is part of the name.")
        }
        return scalar
    }

    /// What stands between `[` and `]`; a `]` in the first place belongs to it.
    mutating func brackets() throws(Failure) -> ([ClosedRange<Unicode.Scalar>], Bool) {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        var isNegated = false
        if let first = rest.first, first == "!" || first == "^" {
            isNegated = true
            rest.removeFirst()
        }
        while true {
            guard let scalar = take() else {
                throw Failure(
                    .usage, "the table pattern '\(pattern)' has a bracket that is not closed",
                    hint: "Write '\\[' for a bracket that is part of the name.")
            }
            if scalar == "]", !ranges.isEmpty { return (ranges, isNegated) }
            let lower = scalar == "\\" ? try escaped() : scalar
            guard rest.first == "-", let end = rest.dropFirst().first, end != "]" else {
                ranges.append(lower...lower)
                continue
            }
            rest.removeFirst(2)
            let upper = end == "\\" ? try escaped() : end
            guard lower <= upper else {
                throw Failure(
                    .usage,
                    "the table pattern '\(pattern)' has the range '\(lower)-\(upper)', which is empty"
                )
            }
            ranges.append(lower...upper)
        }
    }
}
