/// Codes for values that a source has and that the Avro type has no word for (design §5,
/// docs/format.md).
///
/// They lie outside what the type can mean otherwise, and apart from each other:
///
/// | type | codes | meaning |
/// | --- | --- | --- |
/// | date | -2147472692 | PostgreSQL `infinity` |
/// | date | -2147472691 | PostgreSQL `-infinity` |
/// | date | -1000000000 + n, n = (year × 13 + month) × 32 + day | MySQL dates no calendar has |
/// | timestamps | -9223372036854775808 … -9222426057709551617 | PostgreSQL, years 294247 to 294276
/// | | timestamps | -9222425352054775809 | PostgreSQL `infinity` | | timestamps |
/// -9222425352054775808 | PostgreSQL `-infinity` | | timestamps | -4000000000000000000 + n ×
/// 86400000000 + µs of the day | MySQL, n as for dates | | decimal(p,s), unscaled | 10^p | NaN | |
/// decimal(p,s), unscaled | 10^p + 1 | infinity | | decimal(p,s), unscaled | -(10^p + 1) | minus
/// infinity | | enum | the bytes 00 20 | the wrong value of a MySQL ENUM beside a label '' |
///
/// Both timestamp types have the same codes. All other integers mean what their Avro type says;
/// PostgreSQL's are never below -2440588 days or -210866803200000000 µs, MySQL's never below
/// -719528 days.
public enum ReservedValues {
    /// Whether a date, a timestamp or another integer type has this value as a code.
    public static func isReserved(_ type: ColumnType, _ value: Int64) -> Bool {
        switch type {
        case .date:
            Int32(exactly: value).map { isPostgresInfinity($0) || impossibleDate($0) != nil }
                ?? false
        case .timestamp, .localTimestamp:
            value <= PostgresTimestamp.lastWrapped || isPostgresInfinity(value)
                || impossibleTimestamp(value) != nil
        default: false
        }
    }

    /// Whether a decimal type has this unscaled value as a code.
    public static func isReserved(_ type: ColumnType, unscaled value: Int128) -> Bool {
        guard case .decimal(let precision, _) = type else { return false }
        return specialDecimal(value, precision: precision) != nil
    }
}

/// PostgreSQL: the server's number plus the shift from its epoch to ours, wrapping. One-to-one
/// over all its values.
extension ReservedValues {
    /// Days from 1970-01-01 to 2000-01-01.
    public static let postgresDateShift: Int32 = 10_957
    /// Microseconds from 1970-01-01 to 2000-01-01.
    public static let postgresTimestampShift: Int64 = 946_684_800_000_000

    enum PostgresDate {
        static let infinity = Int32.max &+ postgresDateShift
        static let minusInfinity = Int32.min &+ postgresDateShift
        /// 4714-11-24 before Christ, and the day behind 5874897-12-31, as the server counts.
        static let first: Int32 = -2_451_545
        static let end: Int32 = 2_145_031_949
    }

    enum PostgresTimestamp {
        static let infinity = Int64.max &+ postgresTimestampShift
        static let minusInfinity = Int64.min &+ postgresTimestampShift
        /// 4714-11-24 before Christ, and the instant behind the year 294276, as the server counts.
        static let first: Int64 = -211_813_488_000_000_000
        static let end: Int64 = 9_223_371_331_200_000_000
        /// The code of the year 294276's last microsecond; those of the years before it are
        /// smaller.
        static let lastWrapped = end &- 1 &+ postgresTimestampShift
    }

    /// The record's value of what the server has in a `date`.
    @inlinable
    public static func date(fromPostgres days: Int32) -> Int32 { days &+ postgresDateShift }

    /// What the server has in a `date` for a record's value; nothing where it cannot have it.
    public static func postgresDate(_ value: Int32) -> Int32? {
        let days = value &- postgresDateShift
        let isFinite = days >= PostgresDate.first && days < PostgresDate.end
        return isFinite || isPostgresInfinity(value) ? days : nil
    }

    /// The record's value of what the server has in a `timestamp` or `timestamptz`.
    @inlinable
    public static func timestamp(fromPostgres micros: Int64) -> Int64 {
        micros &+ postgresTimestampShift
    }

    /// What the server has in a `timestamp` or `timestamptz` for a record's value; nothing where
    /// it cannot have it.
    public static func postgresTimestamp(_ value: Int64) -> Int64? {
        let micros = value &- postgresTimestampShift
        let isFinite = micros >= PostgresTimestamp.first && micros < PostgresTimestamp.end
        return isFinite || isPostgresInfinity(value) ? micros : nil
    }

    private static func isPostgresInfinity(_ value: Int32) -> Bool {
        value == PostgresDate.infinity || value == PostgresDate.minusInfinity
    }

    private static func isPostgresInfinity(_ value: Int64) -> Bool {
        value == PostgresTimestamp.infinity || value == PostgresTimestamp.minusInfinity
    }
}

/// A date as MySQL keeps it: it may be zero, have zero parts, or be a 30 February.
public struct CalendarParts: Hashable, Sendable {
    /// 0...9999
    public let year: Int
    /// 0...12
    public let month: Int
    /// 0...31
    public let day: Int

    /// Nothing where a part is out of its range.
    public init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (0...12).contains(month), (0...31).contains(day) else {
            return nil
        }
        self.year = year
        self.month = month
        self.day = day
    }

    /// 0 ..< 4160000, different for different parts.
    fileprivate var number: Int64 { Int64((year * 13 + month) * 32 + day) }

    fileprivate static let numberLimit: Int64 = 10_000 * 13 * 32

    fileprivate init(number: Int64) {
        day = Int(number % 32)
        month = Int(number / 32 % 13)
        year = Int(number / (32 * 13))
    }

    fileprivate var civil: CivilDate { CivilDate(year: Int64(year), month: month, day: day) }
}

/// MySQL: dates that the calendar has are plain days, all others lie in a region of their own.
extension ReservedValues {
    static let impossibleDateBase: Int32 = -1_000_000_000
    static let impossibleTimestampBase: Int64 = -4_000_000_000_000_000_000

    /// The record's value of a date's parts: its day where the calendar has one, its code where
    /// not.
    public static func date(_ parts: CalendarParts) -> Int32 {
        let civil = parts.civil
        return civil.exists ? Int32(civil.days) : impossibleDateBase + Int32(parts.number)
    }

    /// The parts of a date that no calendar has; nothing where the value is no code of one.
    public static func impossibleDate(_ value: Int32) -> CalendarParts? {
        let number = Int64(value) - Int64(impossibleDateBase)
        guard (0..<CalendarParts.numberLimit).contains(number) else { return nil }
        let parts = CalendarParts(number: number)
        return parts.civil.exists ? nil : parts
    }

    /// The record's value of a date's parts and the microseconds since its midnight (0 ..<
    /// 86400000000).
    public static func timestamp(_ parts: CalendarParts, microsOfDay: Int64) -> Int64 {
        let civil = parts.civil
        let days = civil.exists ? civil.days : parts.number
        let base = civil.exists ? 0 : impossibleTimestampBase
        return base + days * CalendarText.microsPerDay + microsOfDay
    }

    /// The parts and the microseconds of a timestamp on a day that no calendar has; nothing where
    /// the value is no code of one.
    public static func impossibleTimestamp(
        _ value: Int64
    ) -> (parts: CalendarParts, microsOfDay: Int64)? {
        let end = impossibleTimestampBase + CalendarParts.numberLimit * CalendarText.microsPerDay
        guard value >= impossibleTimestampBase, value < end else { return nil }
        let (number, micros) = (value - impossibleTimestampBase).quotientAndRemainder(
            dividingBy: CalendarText.microsPerDay)
        let parts = CalendarParts(number: number)
        return parts.civil.exists ? nil : (parts, micros)
    }
}

/// MySQL: an ENUM may hold an error value that is printed as '' and is none of its labels, also
/// where '' is one of them.
extension ReservedValues {
    /// The server cuts blanks off the end of labels, and PostgreSQL has no text with NUL: nobody's
    /// label is this.
    public static let wrongLabel: [UInt8] = [0x00, 0x20]

    @inlinable
    public static func isWrongLabel(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count == 2 && text[0] == 0x00 && text[1] == 0x20
    }
}

/// A decimal that is no number.
public enum SpecialDecimal: Sendable, CaseIterable {
    case nan
    case infinity
    case minusInfinity
}

extension ReservedValues {
    /// 10^p: the first unscaled value that decimal(p,s) does not reach.
    ///
    /// - Precondition: the precision is within 1...38; 10^38 + 1 fits 128 bits.
    public static func decimalEnd(precision: Int) -> Int128 {
        precondition((1...38).contains(precision), "a decimal's precision is within 1...38")
        return powersOfTen[precision]
    }

    /// The unscaled value that stands for it.
    public static func unscaled(_ special: SpecialDecimal, precision: Int) -> Int128 {
        let end = decimalEnd(precision: precision)
        return switch special {
        case .nan: end
        case .infinity: end + 1
        case .minusInfinity: -(end + 1)
        }
    }

    /// What an unscaled value stands for; nothing where it is a number.
    public static func specialDecimal(_ unscaled: Int128, precision: Int) -> SpecialDecimal? {
        let end = decimalEnd(precision: precision)
        return switch unscaled {
        case end: .nan
        case end + 1: .infinity
        case -(end + 1): .minusInfinity
        default: nil
        }
    }

    private static let powersOfTen: [Int128] = (0..<38).reduce(into: [1]) { powers, index in
        powers.append(powers[index] * 10)
    }
}
