import SluiceCore
import Testing

@testable import SluiceMySQL

@Suite("Quoting for MySQL")
struct MySQLQuotingTests {
    @Test("identifiers double backticks, literals double quotes and backslashes")
    func quoting() {
        #expect(Name("a`b").quoted == "`a``b`")
        #expect(Name("o'hara\\n").literal == "'o''hara\\\\n'")
    }

    @Test("a combining mark behind a quote does not hide it")
    func combiningMarks() {
        #expect(Array(MySQLQuoting.literal("'\u{301}").utf8) == Array("'''\u{301}'".utf8))
        #expect(Array(MySQLQuoting.identifier("`\u{301}").utf8) == Array("```\u{301}`".utf8))
    }

    @Test("bytes are written in hexadecimal")
    func bytes() {
        let bytes: [UInt8] = [0, 255]
        bytes.withUnsafeBytes { #expect(MySQLQuoting.literal($0) == "x'00ff'") }
    }
}
