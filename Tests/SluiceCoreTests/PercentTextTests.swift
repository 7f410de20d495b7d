import SluiceCore
import Testing

@Suite("Percent-encoding")
struct PercentTextTests {
    @Test("leaves letters, digits and four marks as they are, and nothing else")
    func encoded() {
        #expect(PercentText.encoded("aZ09-._~") == "aZ09-._~")
        #expect(PercentText.encoded("a/b c%41+ü") == "a%2Fb%20c%2541%2B%C3%BC")
    }

    @Test("is taken back")
    func decoded() {
        #expect(PercentText.decoded("a%2Fb%20c%2541+%c3%BC") == "a/b c%41+ü")
    }

    @Test("is refused when it is malformed", arguments: ["%", "%4", "%4g", "a%zz", "%ff"])
    func malformed(_ text: String) {
        #expect(PercentText.decoded(text[...]) == nil)
    }
}
