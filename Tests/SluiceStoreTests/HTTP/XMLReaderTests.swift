import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("XML, as stores speak it")
struct XMLReaderTests {
    private func events(_ text: String) throws(Failure) -> [XMLReader.Event] {
        var buffer = ByteBuffer()
        buffer.append(text)
        var reader = XMLReader(buffer.bytes)
        var events: [XMLReader.Event] = []
        while let event = try reader.next() { events.append(event) }
        return events
    }

    @Test("is elements by their local names, and text")
    func reading() throws {
        let text = """
            <?xml version="1.0"?>
            <!-- a > b --><D:a xmlns:D="DAV:" x='>/'><b/>1 &lt;&amp;&#65;&#x42;&gt;\
            <![CDATA[<&amp;]]></D:a>

            """
        #expect(
            try events(text) == [
                .start("a"), .start("b"), .end("b"), .text("1 <&AB>"), .text("<&amp;"), .end("a"),
            ])
    }

    @Test("gives an element's text without the elements in it")
    func elementText() throws {
        var buffer = ByteBuffer()
        buffer.append("<a><b>x<c>y</c>z</b><d/><e>1</e></a>")
        var reader = XMLReader(buffer.bytes)
        #expect(try reader.next() == .start("a"))
        #expect(try reader.next() == .start("b"))
        #expect(try reader.elementText() == "xz")
        #expect(try reader.next() == .start("d"))
        #expect(try reader.elementText() == "")
        #expect(try reader.next() == .start("e"))
        #expect(try reader.elementText() == "1")
        #expect(try reader.next() == .end("a"))
        #expect(try reader.next() == nil)
    }

    @Test(
        "is refused where it is anything else",
        arguments: [
            "<a>", "<a></b>", "</a>", "<a", "<a b='", "<>", "<a>&nbsp;</a>", "<a>&#xD800;</a>",
            "<a>&#99999999;</a>", "<a>& </a>", "<!DOCTYPE a><a/>", "<a><![CDATA[</a>",
            "<a><!--</a>",
            "<a/ ></b>", String(repeating: "<a>", count: 33),
            "<\(String(repeating: "a", count: 257))/>",
        ])
    func malformed(_ text: String) {
        let found = failure { () throws(Failure) in try events(text) }
        #expect(found?.message == "the answer is no well-formed XML")
    }

    @Test("never reads beyond its end, wherever that is")
    func everyPrefix() throws {
        let text = "<?xml?><!-- --><a b='c'>&amp;&#65;<![CDATA[d]]><e/></a>"
        for count in 0..<text.utf8.count {
            _ = failure { () throws(Failure) in try events(String(text.prefix(count))) }
        }
        #expect(try events(text).count == 6)
    }
}
