import SluiceCore
import SluiceRecords
import Testing

@Suite struct RecordCursorTests {
    private func reading<Value>(
        _ bytes: [UInt8], _ read: (inout RecordCursor) throws(Failure) -> Value
    ) throws -> Value {
        try bytes.withUnsafeBytes { raw in
            var cursor = RecordCursor(raw)
            let value = try read(&cursor)
            #expect(cursor.isAtEnd)
            #expect(cursor.position == bytes.count)
            return value
        }
    }

    private func fault<Value>(
        _ bytes: [UInt8], _ read: (inout RecordCursor) throws(Failure) -> Value
    ) -> String? {
        failureText { _ = try reading(bytes, read) }
    }

    @Test("a long is read as it was written")
    func longs() throws {
        var numbers: [Int64] = [0, 1, -1, 63, 64, -64, -65, Int64.max, Int64.min]
        for shift in 0..<63 {
            numbers += [1 << Int64(shift), -(1 << Int64(shift)), (1 << Int64(shift)) - 1]
        }
        for number in numbers {
            let bytes = ByteBuffer.written { $0.appendLong(number) }
            #expect(try reading(bytes) { cursor throws(Failure) in try cursor.long() } == number)
        }
    }

    @Test("a long has one form only")
    func longFaults() {
        let long = { (cursor: inout RecordCursor) throws(Failure) in try cursor.long() }
        #expect(fault([], long) == "the record ends inside a value at byte 0")
        #expect(fault([0x80], long) == "the record ends inside a value at byte 0")
        #expect(fault([0x80, 0x00], long) == "a number takes more bytes than it needs at byte 0")
        let nine = [UInt8](repeating: 0xFF, count: 9)
        #expect(fault(nine + [0x02], long) == "a number has more than 64 bits at byte 0")
        #expect(fault(nine + [0x80, 0x01], long) == "a number has more than 64 bits at byte 0")
        #expect(fault(nine + [0x00], long) == "a number takes more bytes than it needs at byte 0")
        #expect(throws: Never.self) { try reading(nine + [0x01], long) }
    }

    @Test("every float is read bit by bit, but there is one NaN")
    func floats() throws {
        for value in [0, -0.0, 1.5, .infinity, -.infinity, .nan, .leastNonzeroMagnitude] as [Double]
        {
            let bytes = ByteBuffer.written { $0.appendDouble(value) }
            let read = try reading(bytes) { cursor throws(Failure) in try cursor.double() }
            #expect(read.bitPattern == value.bitPattern)
        }
        for value in [0, -0.0, 1.5, .infinity, -.infinity, .nan] as [Float] {
            let bytes = ByteBuffer.written { $0.appendFloat(value) }
            let read = try reading(bytes) { cursor throws(Failure) in try cursor.float() }
            #expect(read.bitPattern == value.bitPattern)
        }
        let double = { (cursor: inout RecordCursor) throws(Failure) in try cursor.double() }
        let float = { (cursor: inout RecordCursor) throws(Failure) in try cursor.float() }
        let nan = "a NaN is not the one NaN of records at byte 0"
        #expect(fault([1, 0, 0, 0, 0, 0, 0xF8, 0x7F], double) == nan)
        #expect(fault([0, 0, 0, 0, 0, 0, 0xF8, 0xFF], double) == nan)
        #expect(fault([1, 0, 0xC0, 0x7F], float) == nan)
        #expect(fault([0, 0, 0, 0, 0, 0, 0], double) == "the record ends inside a value at byte 0")
        #expect(fault([0, 0, 0], float) == "the record ends inside a value at byte 0")
    }

    @Test("booleans, branches and lengths are checked")
    func smallFaults() {
        #expect(
            fault([2]) { cursor throws(Failure) in try cursor.boolean() }
                == "a boolean is neither 0 nor 1 at byte 0")
        #expect(
            fault([4]) { cursor throws(Failure) in try cursor.isNull() }
                == "a union has no such branch at byte 0")
        for byte: UInt8 in [1, 3, 12, 0x80] {
            #expect(
                fault([byte]) { cursor throws(Failure) in try cursor.anyBranch() }
                    == "a union has no such branch at byte 0")
        }
        let bytes = { (cursor: inout RecordCursor) throws(Failure) in try cursor.bytes().count }
        #expect(fault([1], bytes) == "a length is negative at byte 0")
        #expect(fault([4, 0], bytes) == "a length reaches beyond the end at byte 0")
        let largest = ByteBuffer.written { $0.appendLong(Int64.max) }
        #expect(fault(largest, bytes) == "a length reaches beyond the end at byte 0")
        #expect(throws: Never.self) { try reading([4, 0, 0], bytes) }
    }

    @Test("a failure names the byte where the value begins")
    func position() throws {
        ([2, 4, 0xFF] as [UInt8]).withUnsafeBytes { raw in
            var cursor = RecordCursor(raw)
            #expect(failureText { _ = try cursor.long() } == nil)
            #expect(
                failureText { _ = try cursor.bytes() }
                    == "a length reaches beyond the end at byte 1")
            #expect(cursor.position == 1)
        }
    }

    @Test("a decimal's unscaled value has one form only")
    func unscaled() throws {
        var values: [Int128] = [0, 1, -1, 127, 128, -128, -129, .max, .min]
        for shift in 0..<127 { values += [1 << Int128(shift), -(1 << Int128(shift))] }
        for value in values {
            let bytes = ByteBuffer.written { $0.appendUnscaled(value) }
            #expect(try reading(bytes) { cursor throws(Failure) in try cursor.unscaled() } == value)
        }
        let unscaled = { (cursor: inout RecordCursor) throws(Failure) in try cursor.unscaled() }
        #expect(fault([0], unscaled) == "a decimal has no bytes at byte 0")
        let long = "a number takes more bytes than it needs at byte 0"
        #expect(fault([4, 0, 1], unscaled) == long)
        #expect(fault([4, 0xFF, 0x80], unscaled) == long)
        #expect(
            fault([34] + [UInt8](repeating: 1, count: 17), unscaled)
                == "a decimal has more than 16 bytes at byte 0")
        #expect(try reading([4, 0, 0x80], unscaled) == 128)
        #expect(try reading([4, 0xFF, 0x7F], unscaled) == -129)
    }

    @Test(
        "what stands behind a number changes nothing",
        arguments: [0x00, 0x7F, 0x80, 0xFF] as [UInt8])
    func farFromTheEnd(_ byte: UInt8) throws {
        let tail = [UInt8](repeating: byte, count: 20)
        func check<Value: FixedWidthInteger & Sendable>(
            _ bytes: [UInt8], _ read: (inout RecordCursor) throws(Failure) -> Value,
            is value: Value?
        ) {
            (bytes + tail).withUnsafeBytes { raw in
                var cursor = RecordCursor(raw)
                var found: Value?
                _ = failureText { found = try read(&cursor) }
                #expect(found == value)
                #expect(cursor.position == (value == nil ? 0 : bytes.count))
            }
        }
        let long = { (cursor: inout RecordCursor) throws(Failure) in try cursor.long() }
        let unscaled = { (cursor: inout RecordCursor) throws(Failure) in try cursor.unscaled() }
        for shift in 0..<64 as Range<Int64> {
            let power = Int64(1) << shift
            for number in [power, power &- 1, 0 &- power, ~power] {
                check(ByteBuffer.written { $0.appendLong(number) }, long, is: number)
                let decimal = ByteBuffer.written { $0.appendUnscaled(Int128(number)) }
                check(decimal, unscaled, is: Int128(number))
                let sign: UInt8 = number < 0 ? 0xFF : 0
                let longer = [decimal[0] + 2, sign] + Array(decimal.dropFirst())
                check(longer, unscaled, is: nil)
            }
        }
        for count in 1...9 {
            let zeros = [UInt8](repeating: 0x80, count: count) + [0]
            check(zeros, long, is: nil)
        }
        let wrong: [[UInt8]] = [[0], [1, 0], [3, 0, 0]]
        for bytes in wrong { check(bytes, unscaled, is: nil) }
    }
}
