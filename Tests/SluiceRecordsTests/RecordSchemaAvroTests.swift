import SluiceCore
import SluiceRecords
import Testing

@Suite struct RecordSchemaAvroTests {
    private func avro(_ fields: [Field], _ table: TableName = TableName("t")) -> String {
        RecordSchema(table: table, fields: fields).avro
    }

    @Test("the schema of every type is the one of the fixture")
    func everything() throws {
        let avro = RecordFactory.everything().avro + "\n"
        let expected = try Fixture.bytes("avro/everything.avsc", recording: Array(avro.utf8))
        #expect(avro == String(decoding: expected, as: UTF8.self))
    }

    @Test("the schema is JSON, and every name in it is there once")
    func parses() throws {
        let json = try JSON(parsing: Array(RecordFactory.everything().avro.utf8))
        let names = json["fields"]?.elements?.compactMap { $0["name"]?.text } ?? []
        #expect(names.count == RecordFactory.everything().fields.count)
        #expect(Set(names).count == names.count)
    }

    @Test("what Avro has no word for is kept in properties")
    func properties() {
        let field = Field(
            name: "total price", avroName: "total_price", type: .json, isNullable: true,
            declared: "JSON")
        #expect(
            avro([field], TableName(schema: "my schema", "my table"))
                == #"{"type":"record","name":"my_table","namespace":"my_schema","#
                + #""sluiceName":"my table","sluiceSchema":"my schema","fields":["#
                + #"{"name":"total_price","type":["null","string"],"default":null,"#
                + #""sluiceType":"json","sqlType":"JSON","sluiceName":"total price"}]}"#)
        let rowid = Field(
            name: "rowid", avroName: "rowid", type: .int64, isNullable: false, isRowid: true)
        #expect(
            avro([rowid], TableName("t"))
                == #"{"type":"record","name":"t","fields":[{"name":"rowid","type":"long","#
                + #""sluiceType":"int64","sluiceRowid":true}]}"#)
    }

    @Test("the record inside any values is defined once, and no table's record has its name")
    func invalidText() {
        let fields = ["a", "b"].map {
            Field(name: Name($0), avroName: $0, type: .any, isNullable: false)
        }
        #expect(
            avro(fields, TableName("Invalid_Text"))
                == #"{"type":"record","name":"Invalid_Text_2","sluiceName":"Invalid_Text","#
                + #""fields":["#
                + #"{"name":"a","type":["null","long","double","string","bytes","#
                + #"{"type":"record","name":"invalid_text","#
                + #""fields":[{"name":"bytes","type":"bytes"}]}],"#
                + #""default":null,"sluiceType":"any"},"#
                + #"{"name":"b","type":["null","long","double","string","bytes","invalid_text"],"#
                + #""default":null,"sluiceType":"any"}]}"#)
    }
}
