import SluiceCore
import Testing

@testable import SluiceMySQL

@Suite("What MySQL itself would refuse")
struct MySQLValueRefusalTests {
    @Test("is said with its remedy")
    func texts() {
        let said: [(MySQLRefusal, String, String)] = [
            (.null, "NULL", "Let the target's column be NULL, or correct the row in the source."),
            (
                .characters("latin1"), "characters that latin1 does not have",
                "Declare the target's column with CHARACTER SET utf8mb4."
            ),
            (
                .type("json"), "a value that its type, json, does not take",
                "Declare the target's column as text."
            ),
        ]
        for (refusal, what, remedy) in said {
            let failure = refusal.failure(in: "v")
            #expect(failure.message == "column v cannot keep \(what)")
            #expect(failure.hint == remedy)
        }
    }

    @Test(
        "depends on what the column is declared as",
        arguments: [
            ("varchar(20) CHARACTER SET latin1", "latin1", nil),
            ("tinytext", "utf8mb4", 255), ("json", "utf8mb4", 4_294_967_295), ("int", nil, nil),
        ] as [(String, String?, Int?)])
    func declared(_ text: String, _ set: String?, _ octets: Int?) {
        let declared = MySQLDeclared(text, isMariaDB: true)
        #expect(declared.characterSet == set)
        #expect(declared.octets == octets)
    }
}
