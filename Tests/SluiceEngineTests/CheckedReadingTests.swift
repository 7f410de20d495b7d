import SluiceCore
import SluiceStore
import TestSupport
import Testing

@testable import SluiceEngine

@Suite("An object that carries its hash")
struct CheckedReadingTests {
    private func store(
        _ fault: @escaping @Sendable (FaultyStore.Request) -> FaultyStore.Fault?
    ) throws -> FaultyStore {
        let memory = MemoryStore()
        try memory.put(SealedJSON.bytes(["rows": .int(3)]), at: "seals/t/1.json")
        try memory.put([1, 2, 3], at: "schema/schema.sql")
        return FaultyStore(memory, fault: fault)
    }

    @Test("is read again where it was changed on its way")
    func changedOnTheWay() throws {
        let store = try store { $0.number < 4 ? .flip(bit: 8 * $0.number) : nil }
        #expect(try store.sealedObject("seals/t/1.json")?.json["rows"] == .int(3))
        #expect(store.requestCount == 4)
    }

    @Test("is damaged where it is wrong twice in the same way")
    func damaged() throws {
        let store = try store { _ in .flip(bit: 40) }
        let found = failure { () throws(Failure) in _ = try store.sealedObject("seals/t/1.json") }
        #expect(found?.kind == .refused)
        #expect(found?.message.hasPrefix("seals/t/1.json is damaged: ") == true)
        #expect(store.requestCount == 2)
    }

    @Test("is damaged where it is never the same")
    func neverTheSame() throws {
        let store = try store { .flip(bit: 8 * $0.number) }
        let found = failure { () throws(Failure) in _ = try store.sealedObject("seals/t/1.json") }
        #expect(found?.kind == .refused)
        #expect(store.requestCount == 5)
    }
}
