import SluiceCore
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String) throws(Failure) -> JSON {
        try JSON(parsing: Array(text.utf8))
    }

    private func message(_ bytes: [UInt8]) -> String? {
        do throws(Failure) {
            _ = try JSON(parsing: bytes)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("reads each kind of value")
    func values() throws {
        #expect(try parse("null") == .null)
        #expect(try parse(" \t\r\ntrue ") == .bool(true))
        #expect(try parse("false") == .bool(false))
        #expect(try parse("[]") == .array([]))
        #expect(try parse("{ }") == .object([]))
        #expect(try parse("[1, \"a\", {\"b\" : [null]}]") == [1, "a", ["b": [nil]]])
    }

    @Test(
        "reads numbers exactly",
        arguments: [
            ("0", .int(0)), ("-0", .int(0)), ("7", .int(7)), ("-12", .int(-12)),
            ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
            ("0.5", .double(0.5)), ("-0.0", .double(-0.0)), ("1e3", .double(1000)),
            ("1E+2", .double(100)), ("25e-1", .double(2.5)), ("0e0", .double(0)),
            ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
            ("5e-324", .double(.leastNonzeroMagnitude)),
        ] as [(String, JSON)])
    func numbers(_ text: String, _ value: JSON) throws {
        #expect(try parse(text) == value)
    }

    @Test(
        "refuses what is not JSON, and says where",
        arguments: [
            ("", "unexpected end at byte 0"), (" ", "unexpected end at byte 1"),
            ("nul", "unexpected text at byte 3"), ("nulls", "unexpected text at byte 4"),
            ("True", "unexpected text at byte 0"), ("NaN", "unexpected text at byte 0"),
            ("01", "unexpected text at byte 1"), ("-01", "unexpected text at byte 2"),
            ("-", "unexpected text at byte 1"), ("+1", "unexpected text at byte 0"),
            ("1.", "unexpected text at byte 2"), (".5", "unexpected text at byte 0"),
            ("1.e1", "unexpected text at byte 2"), ("1e", "unexpected text at byte 2"),
            ("1e+", "unexpected text at byte 3"), ("--1", "unexpected text at byte 1"),
            ("0x10", "unexpected text at byte 1"), ("1_000", "unexpected text at byte 1"),
            ("9223372036854775808", "number beyond 64 bits at byte 19"),
            ("-9223372036854775809", "number beyond 64 bits at byte 20"),
            ("1e400", "number beyond 64 bits at byte 5"),
            ("1 2", "unexpected text at byte 2"), ("[1", "expected ']' at byte 2"),
            ("[1,]", "unexpected text at byte 3"), ("[,1]", "unexpected text at byte 1"),
            ("[1 2]", "expected ']' at byte 3"), ("{\"a\"}", "expected ':' at byte 4"),
            ("{\"a\":1,}", "expected '\"' at byte 7"), ("{a:1}", "expected '\"' at byte 1"),
            ("{\"a\":1 \"b\":2}", "expected '}' at byte 7"),
            ("{\"a\":1,\"a\":2}", "repeated member at byte 10"),
            ("\"a", "unexpected end at byte 2"), ("\"a\\", "unexpected end at byte 3"),
            ("\"\\x\"", "unknown escape at byte 3"), ("'a'", "unexpected text at byte 0"),
            ("\"a\nb\"", "control character in a string at byte 3"),
            ("\"\\u12\"", "expected four hexadecimal digits at byte 5"),
            ("\"\\ud800\"", "half a surrogate pair at byte 7"),
            ("\"\\udc00\\ud800\"", "half a surrogate pair at byte 7"),
            ("\"\\ud800\\u0041\"", "half a surrogate pair at byte 13"),
            ("\u{FEFF}1", "unexpected text at byte 0"), ("1\0", "unexpected text at byte 1"),
            ("/**/1", "unexpected text at byte 0"),
        ])
    func refused(_ text: String, _ expected: String) {
        #expect(message(Array(text.utf8)) == "\(expected) of the JSON text")
    }

    @Test(
        "refuses text that is not UTF-8", arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80]])
    func notUTF8(_ bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let text = [quote] + bytes + [quote]
        #expect(
            message(text) == "string that is not UTF-8 at byte \(text.count) of the JSON text")
    }

    @Test("refuses to nest deeper than 64 levels")
    func depth() throws {
        let opened = String(repeating: "[", count: 63)
        let closed = String(repeating: "]", count: 63)
        #expect(message(Array("\(opened)1\(closed)".utf8)) == nil)
        #expect(
            message(Array("\(opened)[1]\(closed)".utf8))
                == "nesting too deep at byte 64 of the JSON text")
        let bomb = String(repeating: "[", count: 1_000_000)
        #expect(message(Array(bomb.utf8)) == "nesting too deep at byte 64 of the JSON text")
    }

    @Test("takes members whose keys look alike for different ones")
    func canonicalEquivalence() throws {
        let value = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
        #expect(Set<JSON>(["\u{E9}", "e\u{301}", "\u{E9}"]).count == 2)
        #expect(JSON.Member("\u{E9}", 1) != JSON.Member("e\u{301}", 1))
    }

    @Test("unescapes strings")
    func escapes() throws {
        let text = #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000""#
        #expect(try parse(text) == .string("\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{20AC}\u{1F600}\0"))
    }

    @Test("writes compact and pretty text")
    func writing() {
        let value: JSON = [
            "a": 1, "b": [true, nil, .double(0.1)], "c": [:], "d": [],
            "e\n": "\"\\\u{1}\u{7F}é\t\r",
        ]
        #expect(
            value.compact
                == #"{"a":1,"b":[true,null,0.1],"c":{},"d":[],"e\n":"\"\\\u0001\u007fé\t\r"}"#)
        #expect(
            value.pretty == """
                {
                  "a": 1,
                  "b": [
                    true,
                    null,
                    0.1
                  ],
                  "c": {},
                  "d": [],
                  "e\\n": "\\"\\\\\\u0001\\u007fé\\t\\r"
                }
                """)
        #expect(JSON.double(.infinity).compact == "null")
    }

    @Test("finds, replaces and adds members")
    func members() {
        let value: JSON = ["a": 1, "b": "x"]
        #expect(value["a"]?.integer == 1)
        #expect(value["b"]?.text == "x")
        #expect(value["c"] == nil)
        #expect(JSON.int(1)["a"] == nil)
        #expect(value.setting("a", to: true) == ["a": true, "b": "x"])
        #expect(value.setting("c", to: nil) == ["a": 1, "b": "x", "c": nil])
        #expect(value["a"]?.text == nil && value["b"]?.integer == nil && value["a"]?.boolean == nil)
        #expect(value.elements == nil && value.members?.count == 2)
        #expect(JSON(nil as String?) == .null)
    }

    @Test("reads back whatever it writes", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<100 {
            let value = anyValue(&random, depth: 0)
            #expect(try parse(value.compact) == value, "seed \(seed)")
            #expect(try parse(value.pretty) == value, "seed \(seed)")
        }
    }

    @Test("never crashes on damaged text", arguments: 1...20 as ClosedRange<UInt64>)
    func damage(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            var bytes = Array(anyValue(&random, depth: 0).compact.utf8)
            let index = Int.random(in: 0..<bytes.count, using: &random)
            bytes[index] = UInt8.random(in: 0...255, using: &random)
            if let message = message(bytes) {
                #expect(message.hasSuffix(" of the JSON text"), "seed \(seed)")
            }
        }
    }

    private func anyValue(_ random: inout SeededRandom, depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth > 4 ? 5 : 7), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int(bitPattern: UInt(random.next())))
        case 3:
            let number = Double(bitPattern: random.next())
            return .double(number.isFinite ? number : -0.0)
        case 4: return .string(anyText(&random))
        case 5:
            return .array(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in
                    anyValue(&random, depth: depth + 1)
                })
        default:
            return .object(
                (0..<Int.random(in: 0..<5, using: &random)).map { index in
                    JSON.Member("\(index)\(anyText(&random))", anyValue(&random, depth: depth + 1))
                })
        }
    }

    private func anyText(_ random: inout SeededRandom) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
            let number = UInt32.random(in: 0...0x10FFFF, using: &random)
            let small = UInt32.random(in: 0..<0x80, using: &random)
            let scalar = Unicode.Scalar(Bool.random(using: &random) ? number : small)
            if let scalar { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}
