import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct CSVOracleTests {
    @Test(
        "DuckDB reads our CSV as fastavro reads our Avro",
        arguments: [
            ShardFormat.Codec.none, .zstandard,
        ])
    func duckDB(codec: ShardFormat.Codec) throws {
        var generator = SeededRandom(seed: 42)
        let schema = CSVOracleTests.schema
        var batch = Batch(fieldCount: schema.fields.count)
        for _ in 0..<400 { CSVOracleTests.appendRow(to: &batch, using: &generator) }
        let csv = try CSVSamples.render(batch, schema, codec)
        var avro = ByteBuffer()
        let renderer = AvroShardRenderer(schema: schema, codec: .none)
        try renderer.begin(&avro)
        try renderer.append(batch, to: &avro)
        try renderer.finish(&avro)
        let name = "shard" + ShardFormat(.csv, codec).suffix
        let folder = try ScratchFolder()
        try folder.write(csv, to: name)
        try folder.write(avro.array(), to: "shard.avro")
        let said = try PythonOracle.run("csv/compare_duckdb.py", [name], in: folder)
        #expect(said == "400 rows equal\n")
    }

    private static let types: [ColumnType] = [
        .boolean, .int32, .int64, .uint64, .float32, .float64, .decimal(precision: 12, scale: 3),
        .decimal(precision: 38, scale: 0), .numberText, .text, .bytes, .date, .timestamp,
        .localTimestamp, .uuid, .json, .enumeration, .set, .bitString, .serverText,
    ]

    private static let schema: RecordSchema = {
        let names: [Name] = ["Ein Name", "a,b", "x\ny", "NULL", "ß"]
        let fields = types.enumerated().map { index, type in
            Field(
                name: index < names.count ? names[index] : Name("c\(index)"), avroName: "c\(index)",
                type: type, isNullable: true)
        }
        return RecordSchema(table: TableName("t"), fields: fields)
    }()

    /// What every reader has a word for: no reserved codes, years 1 to 9999.
    private static func appendRow(to batch: inout Batch, using generator: inout SeededRandom) {
        for type in types {
            if Int.random(in: 0..<5, using: &generator) == 0 {
                batch.bytes.appendNull()
                continue
            }
            batch.bytes.appendNotNull()
            switch type {
            case .decimal(let precision, _):
                let end = ReservedValues.decimalEnd(precision: precision)
                batch.bytes.appendUnscaled(Int128.random(in: (1 - end)..<end, using: &generator))
            case .date:
                batch.bytes.appendLong(Int64.random(in: -719_162...2_932_896, using: &generator))
            case .timestamp, .localTimestamp:
                let seconds = Int64.random(in: -62_135_596_800..<253_402_300_800, using: &generator)
                let micros = Int64.random(in: 0..<1_000_000, using: &generator)
                batch.bytes.appendLong(seconds * 1_000_000 + micros)
            default: CSVSamples.append(type, to: &batch.bytes, using: &generator)
            }
        }
        batch.endRecord()
    }
}
