import SluiceCore
import SluiceRecords
import Testing

@testable import SluicePostgres

@Suite("Names and texts in SQL")
struct PostgresQuotingTests {
    @Test("a name is an identifier whatever it consists of")
    func names() {
        #expect(Name("a\"b").quoted == "\"a\"\"b\"")
        #expect(TableName(schema: "Sales", "o'clock").quoted == "\"Sales\".\"o'clock\"")
        #expect(Name("o'clock").literal == "'o''clock'")
        // As a character the quote and the mark behind it are one.
        #expect(Name("a\"\u{301}").quoted.unicodeScalars.count == 6)
    }
}
