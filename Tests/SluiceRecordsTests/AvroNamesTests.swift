import SluiceCore
import Testing

@testable import SluiceRecords

@Suite struct AvroNamesTests {
    @Test("names become legal byte by byte")
    func legal() {
        #expect(AvroNames.legal("orders") == "orders")
        #expect(AvroNames.legal("Order_2") == "Order_2")
        #expect(AvroNames.legal("") == "_")
        #expect(AvroNames.legal("2nd") == "_2nd")
        #expect(AvroNames.legal("a b-c.d/e") == "a_b_c_d_e")
        #expect(AvroNames.legal("é") == "__")
        #expect(AvroNames.legal("😀") == "____")
    }

    @Test("names that differ at most in case get numbers in column order")
    func clashes() {
        #expect(AvroNames.make(for: ["a", "A", "a"]) == ["a", "A_2", "a_3"])
        #expect(AvroNames.make(for: ["a b", "a_b", "a.b"]) == ["a_b", "a_b_2", "a_b_3"])
        #expect(AvroNames.make(for: ["a_2", "a", "A"]) == ["a_2", "a", "A_3"])
        #expect(AvroNames.make(for: ["a", "A", "a_2"]) == ["a", "A_2", "a_2_2"])
        #expect(AvroNames.make(for: ["", "_", "1", "_1"]) == ["_", "__2", "_1", "_1_2"])
        #expect(AvroNames.make(for: []) == [])
    }

    @Test("any names become legal, and different without regard to case")
    func property() {
        var factory = RecordFactory()
        for _ in 0..<500 {
            let names = (0..<30).map { _ in
                Name(String(decoding: factory.text().prefix(3), as: UTF8.self))
            }
            let made = AvroNames.make(for: names)
            #expect(made.count == names.count)
            #expect(Set(made.map { $0.lowercased() }).count == made.count, "\(factory.seed)")
            for name in made {
                #expect(name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil, "\(name)")
            }
        }
    }
}
