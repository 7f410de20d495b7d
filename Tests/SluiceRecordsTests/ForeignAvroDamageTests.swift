import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

/// Files that ask for too much, or were changed; none may end the process or take memory at will.
@Suite struct ForeignAvroDamageTests {
    /// An Avro file of these datums under a schema, uncompressed.
    private func file(_ schema: String, rows: Int, _ datums: [UInt8]) -> ShardBytes {
        let file = ShardBytes()
        file.buffer.append(AvroContainer.magic)
        file.buffer.appendLong(1)
        for text in ["avro.schema", schema] {
            Array(text.utf8).withUnsafeBytes { file.buffer.appendBytes($0) }
        }
        file.buffer.appendLong(0)
        let sync = [UInt8](repeating: 7, count: 16)
        file.buffer.append(sync)
        file.buffer.appendLong(Int64(rows))
        datums.withUnsafeBytes { file.buffer.appendBytes($0) }
        file.buffer.append(sync)
        return file
    }

    private func long(_ value: Int64) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.appendLong(value)
        return buffer.array()
    }

    private func failure(_ file: ShardBytes, rowByteLimit: Int = 1 << 20) -> Failure? {
        #expect(throws: Failure.self) {
            let schema = try ForeignAvro.inferSchema(
                table: TableName("t"), bytes: file.buffer.bytes)
            let reader = try ForeignAvroReader(file, schema: schema, rowByteLimit: rowByteLimit)
            _ = try readAll(reader, fieldCount: schema.fields.count)
        }
    }

    private func record(_ type: String) -> String {
        #"{"type":"record","name":"R","fields":[{"name":"x","type":\#(type)}]}"#
    }

    @Test("lengths and counts are believed only as far as there are bytes") func counts() {
        let array = record(#"{"type":"array","items":"null"}"#)
        let cases: [(String, [UInt8], String)] = [
            (record(#""string""#), long(1 << 40), "a value reaches beyond the end of its block"),
            (record(#""bytes""#), long(-1), "a value reaches beyond the end of its block"),
            (array, long(1 << 40), "the row has more than 4194304 values"),
            (array, long(.min) + long(1), "the row has more than 4194304 values"),
            (array, long(4_000_000) + long(4_000_000), "the row has more than 4194304 values"),
            (record(#"["null","int"]"#), long(2), "a union has no such branch"),
            (
                record(#"{"type":"enum","name":"E","symbols":["A"]}"#), long(1),
                "an enum has no such symbol"
            ),
            (record(#""int""#), long(1 << 31), "an int has more than 32 bits"),
            (record(#""long""#), [UInt8](repeating: 0x80, count: 12), "a number has no end"),
            (
                record(#"{"type":"map","values":"int"}"#), long(1) + long(1) + [0],
                "a map has a key with a NUL byte"
            ),
            (record(#""int""#), long(1) + [0], "bytes follow the last row of a block"),
            (
                record(#""string""#), long(100) + [UInt8](repeating: 65, count: 100),
                "the row has more than 50 bytes"
            ),
        ]
        for (schema, datum, message) in cases {
            #expect(failure(file(schema, rows: 1, datum), rowByteLimit: 50)?.message == message)
        }
    }

    @Test("a value may be nested only so deep") func depth() {
        let list =
            #"["null",{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}]"#
        let deep = [UInt8](repeating: 2, count: 1000) + [0]
        #expect(
            failure(file(record(list), rows: 1, deep))?.message
                == "values are nested more than 64 deep")
    }

    @Test("a schema may not ask for more than a record can be") func schemas() {
        var doubling = (1...30).map { level in
            let inner = level == 1 ? #""int""# : #""A\#(level - 1)""#
            return
                #"{"name":"f\#(level)","type":["null",{"type":"record","name":"A\#(level)","#
                + #""fields":[{"name":"a","type":\#(inner)},{"name":"b","type":\#(inner)}]}]}"#
        }
        doubling.append(#"{"name":"last","type":"A30"}"#)
        var chain = (0..<200).map { level in
            let inner = level == 0 ? #""int""# : #""C\#(level - 1)""#
            return
                #"{"name":"f\#(level)","type":["null",{"type":"record","name":"C\#(level)","#
                + #""fields":[{"name":"c","type":\#(inner)}]}]}"#
        }
        chain.append(#"{"name":"last","type":"C199"}"#)
        let cases = [
            (
                #"{"type":"record","name":"R","fields":[\#(doubling.joined(separator: ","))]}"#,
                "a record is larger than 1048576 values and bytes"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"x","type":"R"}]}"#,
                "a record holds itself without an end"
            ),
            (
                #"{"type":"record","name":"R","fields":[\#(chain.joined(separator: ","))]}"#,
                "records are nested more than 64 deep"
            ),
            (
                record(#"{"type":"fixed","name":"F","size":99999999999}"#),
                "a fixed has no size, or one above 1048576"
            ),
            (record(#""unknown""#), "no type has the name unknown"),
            (record(#"{"type":"array"}"#), "an array or a map does not say of what"),
            (record("5"), "a type is neither a name nor an object"),
            (
                #"{"type":"record","name":"R","fields":[{"name":"x"}]}"#,
                "a field has no name or no type"
            ),
        ]
        for (schema, message) in cases {
            #expect(
                failure(file(schema, rows: 0, []))?.message
                    == "the Avro schema is wrong: \(message)")
        }
        #expect(
            failure(file(#""int""#, rows: 0, []))?.message
                == "the Avro file holds no records, only single values")
        #expect(failure(file("{", rows: 0, []))?.places == ["reading an Avro file's schema"])
    }

    @Test("a changed file is read or refused, and never ends the process", arguments: 1...4)
    func changed(seed: Int) throws {
        var generator = SeededRandom(seed: UInt64(seed))
        let folder = try ScratchFolder()
        let sample = seed % 2 == 0 ? "nested" : "odd"
        try PythonOracle.run("foreign/write_avro.py", [sample, "null"], in: folder)
        let whole = try folder.read("file.avro")
        var refusals = 0
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8(truncatingIfNeeded: generator.next())
            }
            let file = ShardBytes(bytes)
            do throws(Failure) {
                let schema = try ForeignAvro.inferSchema(
                    table: TableName("t"), bytes: file.buffer.bytes)
                let reader = try ForeignAvroReader(file, schema: schema)
                var batch = Batch(fieldCount: schema.fields.count)
                while try reader.fill(&batch, byteGoal: batch.bytes.count + 100) {}
                var cursor = RecordCursor(batch.bytes.bytes)
                let validator = RecordValidator(schema)
                var reserved = batch.reserved
                for _ in 0..<batch.rowCount { try validator.check(&cursor, reserved: &reserved) }
                #expect(cursor.isAtEnd)
            } catch {
                refusals += 1
                #expect(error.kind == .failed, "\(error)")
            }
        }
        #expect(refusals > 0)
    }
}
