import SluiceCore
import Testing

@testable import SluicePostgres

@Suite("What PostgreSQL itself would refuse")
struct PostgresValueRefusalTests {
    @Test("is said with its remedy")
    func texts() {
        let said: [(PostgresRefusal, String, String)] = [
            (
                .fraction(digits: 3), "a fraction of a second of more than 3 digits",
                "Declare the target's column wider."
            ),
            (
                .bitCount(5), "a bit string that is not of 5 bits",
                "Declare the target's column as text."
            ),
            (
                .type("mood"), "a value that its type, mood, does not take",
                "Declare the target's column as text."
            ),
            (.null, "NULL", "Let the target's column be NULL, or correct the row in the source."),
        ]
        for (refusal, what, remedy) in said {
            let failure = refusal.failure(in: "v")
            #expect(failure.message == "column v cannot keep \(what)")
            #expect(failure.hint == remedy)
        }
    }
}
