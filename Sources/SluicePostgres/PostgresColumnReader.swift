internal import SluiceCore
internal import SluiceRecords

/// Why a value does not become its field.
enum PostgresFault {
    case null
    case notText
    case tooLong
    /// The bytes are not what the type sends.
    case foreign

    /// As messages name the value.
    var what: String {
        switch self {
        case .null: "a NULL"
        case .notText: "a text that is not UTF-8"
        case .tooLong: "a value that is too long"
        case .foreign: "a value of another form than its type's"
        }
    }
}

/// One column of a binary COPY, with what its field looks like.
struct PostgresColumnReader {
    let reading: PostgresReading
    let isNullable: Bool
    /// The database does not check its text.
    let checksText: Bool
    /// Where the field's reserved values are counted.
    let place: Int

    /// A value longer than this is held against the row's limit before it is copied; the rest is
    /// seen at the row's end.
    private static let shortLimit = 4096

    @inline(__always)
    func appendNull(to batch: inout Batch) -> PostgresFault? {
        guard isNullable else { return .null }
        batch.bytes.appendNull()
        return nil
    }

    /// Appends a value that is not NULL to the record that is being written, or says why it cannot
    /// be.
    @inline(__always)
    func append(_ value: UnsafeRawBufferPointer, to batch: inout Batch) -> PostgresFault? {
        if isNullable { batch.bytes.appendNotNull() }
        switch reading {
        case .int32:
            guard value.count == 4 else { return .foreign }
            batch.bytes.appendLong(Int64(value.bigEndian(Int32.self)))
        case .int64:
            guard value.count == 8 else { return .foreign }
            batch.bytes.appendLong(value.bigEndian(Int64.self))
        case .text: return appendText(value, to: &batch)
        case .decimal(let precision, let scale):
            return appendDecimal(value, precision, scale, to: &batch)
        case .date: return appendDate(value, to: &batch)
        case .timestamp: return appendTimestamp(value, to: &batch)
        case .boolean:
            guard value.count == 1 else { return .foreign }
            batch.bytes.appendBoolean(value[0] != 0)
        case .int16:
            guard value.count == 2 else { return .foreign }
            batch.bytes.appendLong(Int64(value.bigEndian(Int16.self)))
        case .uint32:
            guard value.count == 4 else { return .foreign }
            batch.bytes.appendLong(Int64(value.bigEndian(UInt32.self)))
        case .float32:
            guard value.count == 4 else { return .foreign }
            batch.bytes.appendFloat(Float(bitPattern: value.bigEndian(UInt32.self)))
        case .float64:
            guard value.count == 8 else { return .foreign }
            batch.bytes.appendDouble(Double(bitPattern: value.bigEndian(UInt64.self)))
        case .time:
            guard value.count == 8 else { return .foreign }
            batch.bytes.appendLong(value.bigEndian(Int64.self))
        case .bytes: return appendBytes(value, to: &batch)
        case .versionedText:
            guard value.count >= 1, value[0] == 1 else { return .foreign }
            return appendText(UnsafeRawBufferPointer(rebasing: value[1...]), to: &batch)
        case .number: return appendNumber(value, to: &batch)
        case .uuid: return appendUUID(value, to: &batch)
        case .bits: return appendBits(value, to: &batch)
        }
        return nil
    }

    @inline(__always)
    private func appendText(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> PostgresFault? {
        if checksText, !UTF8Text.isValid(value) { return .notText }
        return appendBytes(value, to: &batch)
    }

    @inline(__always)
    private func appendBytes(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> PostgresFault? {
        if value.count > PostgresColumnReader.shortLimit, !batch.rowAdmits(value.count) {
            return .tooLong
        }
        batch.bytes.appendBytes(value)
        return nil
    }

    @inline(__always)
    private func appendDecimal(
        _ value: UnsafeRawBufferPointer, _ precision: Int, _ scale: Int, to batch: inout Batch
    ) -> PostgresFault? {
        guard
            let unscaled = PostgresNumeric.unscaled(value, precision: precision, scale: scale)
        else { return .foreign }
        // The sign's word is 0xC000 or more where it is no number.
        if value[4] >= 0xC0 { batch.reserved[place] += 1 }
        batch.bytes.appendUnscaled(unscaled)
        return nil
    }

    @inline(__always)
    private func appendDate(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> PostgresFault? {
        guard value.count == 4 else { return .foreign }
        let days = value.bigEndian(Int32.self)
        if days == .max || days == .min { batch.reserved[place] += 1 }
        batch.bytes.appendLong(Int64(ReservedValues.date(fromPostgres: days)))
        return nil
    }

    @inline(__always)
    private func appendTimestamp(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> PostgresFault? {
        guard value.count == 8 else { return .foreign }
        let micros = value.bigEndian(Int64.self)
        // The infinities, and the last years, whose sum wraps.
        if micros > .max &- ReservedValues.postgresTimestampShift || micros == .min {
            batch.reserved[place] += 1
        }
        batch.bytes.appendLong(ReservedValues.timestamp(fromPostgres: micros))
        return nil
    }

    private func appendNumber(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> PostgresFault? {
        let start = batch.bytes.count
        guard PostgresNumeric.appendText(value, to: &batch.bytes) else { return .foreign }
        let count = batch.bytes.count - start
        guard batch.rowAdmits(0) else { return .tooLong }
        // Its length is known only now, and belongs before it.
        batch.bytes.appendLong(Int64(count))
        let lengthCount = batch.bytes.count - start - count
        batch.bytes.mutableBytes.moveToFront(lengthCount, from: start + count, to: start)
        return nil
    }

    @inline(__always)
    private func appendUUID(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> PostgresFault? {
        guard value.count == 16 else { return .foreign }
        batch.bytes.appendLong(36)
        batch.bytes.reserve(36)
        var index = 0
        while index < 16 {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                batch.bytes.append(UInt8(ascii: "-"))
            }
            batch.bytes.append(PostgresColumnReader.digit(value[index] >> 4))
            batch.bytes.append(PostgresColumnReader.digit(value[index] & 15))
            index &+= 1
        }
        return nil
    }

    @inline(__always)
    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 &+ value : 0x57 &+ value
    }

    private func appendBits(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> PostgresFault? {
        guard value.count >= 4 else { return .foreign }
        let count = Int(value.bigEndian(Int32.self))
        guard count >= 0, value.count - 4 == (count + 7) / 8 else { return .foreign }
        guard batch.rowAdmits(count) else { return .tooLong }
        batch.bytes.appendLong(Int64(count))
        batch.bytes.reserve(count)
        for index in 0..<count {
            let bit = value[4 &+ index / 8] >> UInt8(truncatingIfNeeded: 7 &- index % 8) & 1
            batch.bytes.append(0x30 &+ bit)
        }
        return nil
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Puts the last `count` bytes, at most ten, before those from `place` on.
    fileprivate func moveToFront(_ count: Int, from end: Int, to place: Int) {
        precondition(count <= 10, "a length has at most ten bytes")
        withUnsafeTemporaryAllocation(byteCount: 10, alignment: 1) { kept in
            for index in 0..<count { kept[index] = self[end + index] }
            guard let base = baseAddress else { return }
            (base + place + count).copyMemory(from: base + place, byteCount: end - place)
            for index in 0..<count { self[place + index] = kept[index] }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The integer at its start, as the network's order has it.
    @inline(__always)
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type) -> Integer {
        Integer(bigEndian: loadUnaligned(as: Integer.self))
    }
}
