/// A JSON value that keeps the order of its members, so that writing is deterministic.
///
/// Whole numbers are 64-bit integers; whatever does not fit is written as a string by those who use
/// it.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    public struct Member: Sendable, Hashable {
        public let key: String
        public let value: JSON

        public init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }
}

// Byte by byte: `String` takes "é" in one scalar and in two for equal.
extension JSON {
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern
        case (.string(let left), .string(let right)): Name(left) == Name(right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(Name(compact))
    }
}

extension JSON.Member {
    public static func == (left: JSON.Member, right: JSON.Member) -> Bool {
        Name(left.key) == Name(right.key) && left.value == right.value
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(Name(key))
        hasher.combine(value)
    }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
    ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }

    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }

    /// The string, or JSON null.
    public init(_ text: String?) { self = text.map(JSON.string) ?? .null }
}

extension JSON {
    /// The member with this key, if this is an object that has it.
    public subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    public var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    public var elements: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var integer: Int? {
        if case .int(let number) = self { number } else { nil }
    }

    public var boolean: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// This object with one more member at its end, or with that member's value replaced.
    public func setting(_ key: String, to value: JSON) -> JSON {
        var members = self.members ?? []
        if let place = members.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
            members[place] = Member(key, value)
        } else {
            members.append(Member(key, value))
        }
        return .object(members)
    }
}
