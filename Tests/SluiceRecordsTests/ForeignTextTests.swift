import SluiceCore
import Testing

@testable import SluiceRecords

/// A text that somebody wrote and what our own CSV has for it; nothing where it is refused.
struct ForeignForm: CustomTestStringConvertible, Sendable {
    let type: ColumnType
    let text: String
    let ours: String?

    init(_ type: ColumnType, _ text: String, _ ours: String?) {
        self.type = type
        self.text = text
        self.ours = ours
    }

    var testDescription: String { "\(type) \(text)" }
}

@Suite struct ForeignTextTests {
    static let forms: [ForeignForm] = numbers + moments + others

    private static let money = ColumnType.decimal(precision: 5, scale: 2)
    private static let numbers = [
        ForeignForm(.boolean, "T", "true"), ForeignForm(.boolean, "0", "false"),
        ForeignForm(.boolean, " Yes ", "true"), ForeignForm(.boolean, "off", "false"),
        ForeignForm(.boolean, "2", nil), ForeignForm(.boolean, "", nil),
        ForeignForm(.int32, "+007", "7"), ForeignForm(.int32, " -5", "-5"),
        ForeignForm(.int32, "1e3", "1000"), ForeignForm(.int32, "5.0", "5"),
        ForeignForm(.int32, "2147483648", nil), ForeignForm(.int32, "1.5", nil),
        ForeignForm(.int32, "1,000", nil), ForeignForm(.int32, "", nil),
        ForeignForm(.int64, "-9223372036854775808", "-9223372036854775808"),
        ForeignForm(.int64, "9223372036854775808", nil),
        ForeignForm(.uint64, "18446744073709551615", "18446744073709551615"),
        ForeignForm(.uint64, "18446744073709551616", nil), ForeignForm(.uint64, "-1", nil),
        ForeignForm(.float64, "1", "1.0"), ForeignForm(.float64, "-.5E1", "-5.0"),
        ForeignForm(.float64, "Infinity", "inf"), ForeignForm(.float64, "1e999", nil),
        ForeignForm(.float32, "16777217", "16777216.0"), ForeignForm(.float32, "1e39", nil),
        ForeignForm(money, "1", "1.00"), ForeignForm(money, "-001.5000", "-1.50"),
        ForeignForm(money, "1.2e2", "120.00"), ForeignForm(money, "999.99", "999.99"),
        ForeignForm(money, "-0", "0.00"), ForeignForm(money, "0.001", nil),
        ForeignForm(money, "1000", nil), ForeignForm(money, "1.", "1.00"),
        ForeignForm(money, ".", nil), ForeignForm(money, "1e", nil),
        ForeignForm(money, "1e99999999999999999999", nil), ForeignForm(money, "0e99999", "0.00"),
        ForeignForm(money, "NaN", "#100000"), ForeignForm(money, "-Infinity", "#-100001"),
        ForeignForm(
            .decimal(precision: 38, scale: 0), "99999999999999999999999999999999999999",
            "99999999999999999999999999999999999999"),
        ForeignForm(
            .decimal(precision: 38, scale: 0), "340282366920938463463374607431768211456", nil),
    ]

    private static let moments = [
        ForeignForm(.date, "2024-2-9", "2024-02-09"),
        ForeignForm(.date, "2024/02/29", "2024-02-29"),
        ForeignForm(.date, "2024-02-29 00:00:00", "2024-02-29"),
        ForeignForm(.date, "2024-02-29T12:00", nil), ForeignForm(.date, "2023-02-29", nil),
        ForeignForm(.date, "29.02.2024", nil), ForeignForm(.date, "24-02-29", nil),
        ForeignForm(.date, "0000-00-00", "#-1000000000"),
        ForeignForm(.date, "2024-00-15", "#-999158001"),
        ForeignForm(.date, "infinity", "#-2147472692"),
        ForeignForm(.time, "1:02", "01:02:00"), ForeignForm(.time, "-100:00:00.5", "-100:00:00.5"),
        ForeignForm(.time, "12:00:00.123456000", "12:00:00.123456"),
        ForeignForm(.time, "12:00:00.1234567", nil), ForeignForm(.time, "839:00:00", nil),
        ForeignForm(.time, "12:60", nil), ForeignForm(.time, "12:00:00.", nil),
        ForeignForm(.timestamp, "2024-02-29T12:00:00Z", "2024-02-29 12:00:00Z"),
        ForeignForm(.timestamp, "2024-02-29 12:00:00+02", "2024-02-29 10:00:00Z"),
        ForeignForm(.timestamp, "2024-02-29 12:00:00.5-05:30", "2024-02-29 17:30:00.5Z"),
        ForeignForm(.timestamp, "2024-02-29 12:00:00 UTC", "2024-02-29 12:00:00Z"),
        ForeignForm(.timestamp, "2024-02-29 12:00:00", "2024-02-29 12:00:00Z"),
        ForeignForm(.timestamp, "2024-02-29", "2024-02-29 00:00:00Z"),
        ForeignForm(.timestamp, "2024-02-29 24:00:00", nil),
        ForeignForm(.timestamp, "2024-02-29 12:00:00+99", nil),
        ForeignForm(.timestamp, "-infinity", "#-9222425352054775808"),
        ForeignForm(.localTimestamp, "2024-02-29 12:00:00+02", nil),
        ForeignForm(.localTimestamp, "2024-02-29 12:00:00", "2024-02-29 12:00:00"),
        ForeignForm(.localTimestamp, "0000-00-00 00:00:00", "#-4000000000000000000"),
        ForeignForm(.localTimestamp, "300000-01-01", nil),
    ]

    private static let others = [
        ForeignForm(
            .uuid, "{00112233-4455-6677-8899-AABBCCDDEEFF}",
            "00112233-4455-6677-8899-aabbccddeeff"),
        ForeignForm(
            .uuid, "00112233445566778899aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"),
        ForeignForm(.uuid, "00112233-4455-6677-8899-aabbccddeef", nil),
        ForeignForm(.bytes, "\\x00FF", "\\x00ff"), ForeignForm(.bytes, "0x00ff", "\\x00ff"),
        ForeignForm(.bytes, "X'00ff'", "\\x00ff"), ForeignForm(.bytes, "00ff", "\\x00ff"),
        ForeignForm(.bytes, "", "\\x"), ForeignForm(.bytes, "0x0", nil),
        ForeignForm(.bytes, "hi", nil), ForeignForm(.bitString, "0110", "0110"),
        ForeignForm(.bitString, "2", nil), ForeignForm(.text, " x ", "\" x \""),
        ForeignForm(.any, "7", "7"), ForeignForm(.any, "7.5", "7.5"),
        ForeignForm(.any, "x", "\"x\""),
    ]

    @Test("each form means one value or is refused", arguments: forms)
    func form(_ form: ForeignForm) throws {
        let schema = CSVSamples.schema([form.type], isNullable: false)
        var options = ForeignCSVOptions()
        options.nullText = nil
        options.hasHeader = false
        options.delimiter = UInt8(ascii: "|")
        let reader = try ForeignCSVReader(
            ShardBytes(Array("\(form.text)\n".utf8)), schema: schema, options: options)
        guard let ours = form.ours else {
            let failure = #expect(throws: Failure.self) { try readAll(reader, fieldCount: 1) }
            #expect(failure?.message == "invalid \(form.type) in line 1, column 1 (\(form.type) 0)")
            return
        }
        let read = try readAll(reader, fieldCount: 1)
        let csv = CSVRowWriter.header(of: schema) + Array("\(ours)\n".utf8)
        #expect(read.records == (try CSVSamples.parse(csv, schema)).records)
        #expect(read.reserved == [ours.hasPrefix("#") ? 1 : 0])
    }

    @Test(
        "bytes come in the form that the job names",
        arguments: [
            (.base64, "AP8=", "\\x00ff"), (.base64, "AP8", "\\x00ff"),
            (.base64, "-_-_", "\\xfbffbf"),
            (.base64, "AP9=", nil), (.base64, "A", nil), (.base64, "A===", nil),
            (.base64, "*A==", nil),
            (.plain, "0x00", "\\x30783030"),
        ] as [(ForeignCSVOptions.BytesForm, String, String?)])
    func bytesForm(form: ForeignCSVOptions.BytesForm, text: String, ours: String?) throws {
        let schema = CSVSamples.schema([.bytes], isNullable: false)
        var options = ForeignCSVOptions()
        options.hasHeader = false
        options.bytesForm = form
        let reader = try ForeignCSVReader(
            ShardBytes(Array(text.utf8)), schema: schema, options: options)
        let read = try? readAll(reader, fieldCount: 1).records
        let csv = CSVRowWriter.header(of: schema) + Array("\(ours ?? "")\n".utf8)
        #expect(read == (try? CSVSamples.parse(csv, schema).records))
    }
}
