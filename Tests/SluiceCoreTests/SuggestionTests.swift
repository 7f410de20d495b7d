import SluiceCore
import Testing

struct SuggestionTests {
    static let known = ["source", "store", "target", "tables", "table", "on-existing", "for"]

    @Test(
        "a mistyped name finds the one that was meant",
        arguments: [
            ("tabels", "tables"),
            ("Tables", "tables"),
            ("tabel", "table"),
            ("stroe", "store"),
            ("sorce", "source"),
            ("on-existng", "on-existing"),
            ("on_existing", "on-existing"),
            ("fro", "for"),
        ])
    func near(_ typed: String, _ meant: String) {
        #expect(Suggestion.nearest(to: typed, among: Self.known) == meant)
    }

    @Test("a name far from all others gets no suggestion", arguments: ["", "x", "zzz", "password"])
    func far(_ typed: String) {
        #expect(Suggestion.nearest(to: typed, among: Self.known) == nil)
    }

    @Test("the hint is a question")
    func hint() {
        #expect(
            Suggestion.hint(for: "tabels", among: Self.known) == "Did you mean 'tables'?")
        #expect(Suggestion.hint(for: "password", among: Self.known) == nil)
    }
}
