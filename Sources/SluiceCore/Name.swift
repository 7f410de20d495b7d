/// A name from a database, compared byte by byte: `String` would take "é" and "e´" for one name.
public struct Name: Sendable {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    /// Nothing when the bytes are not valid UTF-8; such a name cannot stand in a dataset.
    public init?(utf8 bytes: UnsafeRawBufferPointer) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self.text = text
    }

    public var utf8: String.UTF8View { text.utf8 }
}

extension Name: Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    public static func == (left: Name, right: Name) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }

    public static func < (left: Name, right: Name) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }

    public var description: String { text }

    public init(stringLiteral text: String) {
        self.init(text)
    }
}

/// A table's name, with its schema where the engine has schemas.
public struct TableName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let schema: Name?
    public let table: Name

    public init(schema: Name? = nil, _ table: Name) {
        self.schema = schema
        self.table = table
    }

    /// As messages and globs show it: `public.orders`, or `orders` where there is no schema.
    public var description: String {
        schema.map { "\($0).\(table)" } ?? table.text
    }

    public static func < (left: TableName, right: TableName) -> Bool {
        if left.schema != right.schema { return left.schema ?? "" < right.schema ?? "" }
        return left.table < right.table
    }
}
