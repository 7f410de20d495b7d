public import SluiceCore

/// How somebody else wrote a CSV. As made, RFC 4180 with a header, where nothing between two
/// commas is NULL.
public struct ForeignCSVOptions: Hashable, Sendable {
    /// How a quote stands inside quotes.
    public enum Escape: String, Sendable, CaseIterable {
        case doubling
        /// A backslash before it; one stands for other bytes too, as MySQL and PostgreSQL write
        /// them: `\n`, `\t`, `\N`.
        case backslash
    }

    /// How bytes are written.
    public enum BytesForm: String, Sendable, CaseIterable {
        /// Pairs of digits of either case, plain or as `\x…`, `0x…`, `x'…'`.
        case hexadecimal
        case base64
        /// The field is the bytes.
        case plain
    }

    public var delimiter = UInt8(ascii: ",")
    /// Nothing: no field is quoted.
    public var quote: UInt8? = UInt8(ascii: "\"")
    public var escape = Escape.doubling
    /// What stands for NULL where it is not quoted; nothing: no field is NULL.
    public var nullText: [UInt8]? = []
    /// Whether it is NULL in quotes too.
    public var takesQuotedNull = false
    /// Lines before the header, or before the first row, that are not looked at.
    public var skippedLineCount = 0
    public var hasHeader = true
    /// The names of the file's columns, in its order; without them the header says so, and
    /// without a header the fields of the table come in their order.
    public var columns: [Name]?
    /// Whether columns that the table does not have are passed over; otherwise they are a failure.
    public var ignoresOtherColumns = false
    public var bytesForm = BytesForm.hexadecimal

    public init() {}
}
