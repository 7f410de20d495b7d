internal import SluiceCore
internal import SluiceRecords

/// Dates and times as the server reads them.
enum MySQLMoment {
    /// From 0000-01-01 to 9999-12-31.
    private static let days: ClosedRange<Int64> = -719_528...2_932_896
    private static let microsPerDay: Int64 = 86_400_000_000
    /// What a TIMESTAMP has: the second behind 1970-01-01 00:00:00 to the end of 32 bits with a
    /// sign, which the newest servers go beyond.
    private static let seconds: Range<Int64> = 1_000_000..<2_147_483_648_000_000

    /// Appends a value; why not, where its column cannot keep it.
    static func append(
        _ form: MySQLFieldWriting.Form, _ value: Int64, to output: inout ByteBuffer
    ) -> MySQLRefusal? {
        switch form {
        case .time(let digits):
            guard value.magnitude <= UInt64(RecordValidator.timeLimit) else { return .time }
            guard MySQLLimits.fits(value, digits: digits) else { return .fraction(digits: digits) }
            CalendarText.append(time: value, to: &output)
        case .date:
            let days = Int32(truncatingIfNeeded: value)
            if let parts = ReservedValues.impossibleDate(days) {
                append(parts, to: &output)
                return nil
            }
            guard MySQLMoment.days.contains(value) else { return .date }
            CalendarText.append(date: days, to: &output)
        case .timestamp(let digits):
            guard MySQLLimits.fits(value, digits: digits) else { return .fraction(digits: digits) }
            if let (parts, time) = ReservedValues.impossibleTimestamp(value) {
                // The only one that it has is the zero.
                guard parts.isZero, time == 0 else { return .timestamp }
                MySQLRowWriter.append("0000-00-00 00:00:00", to: &output)
                return nil
            }
            guard seconds.contains(value) else { return .timestamp }
            CalendarText.append(timestamp: value, isUTC: false, to: &output)
        case .dateTime(let digits):
            guard MySQLLimits.fits(value, digits: digits) else { return .fraction(digits: digits) }
            if let (parts, time) = ReservedValues.impossibleTimestamp(value) {
                append(parts, to: &output)
                output.append(0x20)
                CalendarText.append(time: time, to: &output)
                return nil
            }
            guard value >= days.lowerBound * microsPerDay,
                value < (days.upperBound + 1) * microsPerDay
            else { return .timestamp }
            CalendarText.append(timestamp: value, isUTC: false, to: &output)
        default: break
        }
        return nil
    }

    private static func append(_ parts: CalendarParts, to output: inout ByteBuffer) {
        DigitText.append(UInt64(parts.year), atLeast: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        DigitText.append(UInt64(parts.month), atLeast: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        DigitText.append(UInt64(parts.day), atLeast: 2, to: &output)
    }
}

extension CalendarParts {
    fileprivate var isZero: Bool { year == 0 && month == 0 && day == 0 }
}
