internal import CAvro
public import SluiceCore

/// Reads an Avro file that somebody else wrote as records of a given table: other field orders,
/// promotions, unions, enums, fixed, all codecs that sluice has.
///
/// Our container reader, which is bounded, opens it; libavro decodes the datums. A column is the
/// field of its name; one that is not in the file is NULL where it may be. Nothing is rounded or
/// cut: what does not fit is a failure.
public final class ForeignAvroReader: RecordSource {
    private let file: ShardBytes
    private let schema: RecordSchema
    private let types: ForeignAvroTypes
    private let datum: ForeignAvroDatum
    private let columns: [ForeignAvroColumn]
    private let unpacker: BlockDecompressor
    private var walk: ForeignAvroWalk
    private var container: AvroContainer
    private let blockByteLimit: Int
    private var block = ByteBuffer()
    private var blockRowsLeft = 0
    private var place = 0
    /// Of the row that is being read, from 1.
    private var rowNumber = 0

    /// Looks at the schema; the bytes must stay as they are until all is read.
    ///
    /// - Parameter ignoresOtherFields: whether fields that the table has no column for are passed
    ///   over.
    public init(
        _ file: ShardBytes, schema: RecordSchema, ignoresOtherFields: Bool = false,
        rowByteLimit: Int = 256 << 20
    ) throws(Failure) {
        self.file = file
        self.schema = schema
        container = try AvroContainer(file.buffer.bytes, rowLimit: 1 << 24)
        let text = try ForeignAvro.schemaText(container)
        types = try ForeignAvro.types(text)
        datum = try ForeignAvroDatum(text)
        unpacker = BlockDecompressor(try container.codec())
        columns = try ForeignAvroReader.match(
            schema, types, ignoresOtherFields: ignoresOtherFields)
        walk = ForeignAvroWalk(types, byteLimit: rowByteLimit)
        blockByteLimit = max(64 << 20, rowByteLimit + (1 << 20))
    }

    private static func match(
        _ schema: RecordSchema, _ types: ForeignAvroTypes, ignoresOtherFields: Bool
    ) throws(Failure) -> [ForeignAvroColumn] {
        var isRead = Array(repeating: false, count: types.fields.count)
        var columns: [ForeignAvroColumn] = []
        for field in schema.fields {
            let index =
                types.fields.firstIndex { ForeignAvro.name(of: $0) == field.name }
                ?? types.fields.firstIndex { Name($0.name) == Name(field.avroName) }
            if let index {
                isRead[index] = true
                columns.append(
                    ForeignAvroColumn(
                        type: field.type, isNullable: field.isNullable, index: index,
                        node: types.fields[index].type,
                        isOurs: types.fields[index].json["sluiceType"] != nil))
            } else if field.isNullable {
                columns.append(
                    ForeignAvroColumn(
                        type: field.type, isNullable: true, index: nil, node: 0, isOurs: false))
            } else {
                throw Failure(.failed, "the Avro file has no field \(field.name)")
            }
        }
        if !ignoresOtherFields, let other = isRead.firstIndex(of: false) {
            throw Failure(
                .failed,
                "the table has no column \(types.fields[other].name), which the Avro file has",
                hint: "Say that other columns are to be ignored, if they are.")
        }
        return columns
    }

    public func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        var isAnyThere = false
        while batch.bytes.count < byteGoal {
            guard try prepareBlock() else { return isAnyThere }
            rowNumber += 1
            do {
                try readRow(&batch)
            } catch {
                throw error.during("reading row \(rowNumber) of an Avro file")
            }
            isAnyThere = true
        }
        return true
    }

    /// Unpacks blocks until there is a row; false when there are no more.
    private func prepareBlock() throws(Failure) -> Bool {
        while blockRowsLeft == 0 {
            guard place == block.count else {
                throw Failure(.failed, "bytes follow the last row of a block")
            }
            guard let next = try container.nextBlock() else { return false }
            try unpacker.unpack(next.bytes, into: &block, byteLimit: blockByteLimit)
            blockRowsLeft = next.rowCount
            place = 0
        }
        return true
    }

    private func readRow(_ batch: inout Batch) throws(Failure) {
        let end = try walk.end(of: place, in: block.bytes)
        try datum.read(UnsafeRawBufferPointer(rebasing: block.bytes[place..<end]))
        place = end
        blockRowsLeft -= 1
        for (index, column) in columns.enumerated() {
            let outcome = try datum.append(column, types, to: &batch.bytes)
            if outcome == .invalid {
                throw Failure(
                    .failed, "invalid \(column.type) in column \(schema.fields[index].name)")
            }
            if outcome == .reserved { batch.reserved[index] += 1 }
        }
        guard batch.rowAdmits(0) else {
            throw Failure(
                .failed, "the row has more than \(batch.rowByteLimit) bytes",
                hint: "Raise --row-bytes if rows may be this large.")
        }
        batch.endRecord()
    }
}

/// Where a column's values come from.
struct ForeignAvroColumn {
    let type: ColumnType
    let isNullable: Bool
    /// The field of the file's records; nothing: NULL.
    let index: Int?
    let node: Int
    /// Sluice wrote it: codes of reserved values mean what they mean.
    let isOurs: Bool
}

/// One value of the file's schema in libavro's memory, used again for each row.
final class ForeignAvroDatum {
    private var schema: avro_schema_t?
    private let type: UnsafeMutablePointer<avro_value_iface_t>
    private let reader: avro_reader_t
    private var value = avro_value_t()

    init(_ schemaText: UnsafeRawBufferPointer) throws(Failure) {
        let text = schemaText.bindMemory(to: CChar.self)
        var schema: avro_schema_t?
        guard avro_schema_from_json_length(text.baseAddress, text.count, &schema) == 0 else {
            throw Failure(
                .failed, "libavro does not take the Avro schema",
                code: String(cString: avro_strerror()))
        }
        guard let type = avro_generic_class_from_schema(schema) else {
            avro_schema_decref(schema)
            throw Failure(
                .failed, "libavro does not take the Avro schema",
                code: String(cString: avro_strerror()))
        }
        guard avro_generic_value_new(type, &value) == 0, let reader = avro_reader_memory(nil, 0)
        else {
            sluice_avro_release(type)
            avro_schema_decref(schema)
            throw Failure(.failed, "no memory for an Avro value")
        }
        self.schema = schema
        self.type = type
        self.reader = reader
    }

    deinit {
        avro_reader_free(reader)
        avro_value_decref(&value)
        sluice_avro_release(type)
        avro_schema_decref(schema)
    }

    func read(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        avro_reader_memory_set_source(
            reader, bytes.bindMemory(to: CChar.self).baseAddress, Int64(bytes.count))
        guard sluice_avro_reset(&value) == 0, avro_value_read(reader, &value) == 0 else {
            throw Failure(
                .failed, "libavro does not read the row", code: String(cString: avro_strerror()))
        }
    }

    /// Appends a column's field with its branch, NULL where the file has no such field.
    func append(
        _ column: ForeignAvroColumn, _ types: ForeignAvroTypes, to output: inout ByteBuffer
    ) throws(Failure) -> ForeignText.Outcome {
        guard let index = column.index else {
            output.appendNull()
            return .plain
        }
        var field = avro_value_t()
        guard sluice_avro_child(&value, index, &field, nil) == 0 else {
            throw ForeignAvroValue.unreadable()
        }
        let content = try ForeignAvroValue(field, column.node, types)
        if content.isNull {
            guard column.isNullable || column.type == .any else { return .invalid }
            output.appendNull()
            return .plain
        }
        if column.isNullable, column.type != .any { output.appendNotNull() }
        return try content.append(column, to: &output)
    }
}
