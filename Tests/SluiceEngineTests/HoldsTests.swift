import Glibc
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceEngine

@Suite("What a run holds on a source")
struct HoldsTests {
    private func run() -> Run { ExportTests.run { $0.takesSlot = true } }

    private func hold(in store: MemoryStore) throws -> Hold? { try Hold.all(in: store).first }

    /// As if the process that wrote it had been killed.
    private func bury(_ store: MemoryStore) throws {
        let hold = try #require(try hold(in: store))
        let holder = hold.holder.json.setting("process", to: 999_999_999)
        try store.put(
            SealedJSON.bytes(hold.json.setting("holder", to: holder)),
            at: DatasetKeys.hold(hold.run))
    }

    @Test("is written before it is held, and stays with a finished dataset where it is a slot")
    func slot() throws {
        let store = MemoryStore()
        let source = NumberSource(hasSlots: true)
        _ = try run().export(from: source, to: store)
        #expect(source.events.read { $0 } == ["made"])
        #expect(try hold(in: store)?.what == "a slot of numbers")
        #expect(try Dataset.require(in: store).header.position.isExact)
    }

    @Test("is dropped with an export that fails")
    func failing() throws {
        let store = MemoryStore()
        let source = NumberSource(fault: .rowLeftOut, hasSlots: true)
        #expect(failure(of: { try run().export(from: source, to: store) }) != nil)
        #expect(source.events.read { $0 } == ["made", "dropped"])
        #expect(try hold(in: store) == nil)
    }

    @Test("is handed to the next export when it was left behind")
    func leftBehind() throws {
        let store = MemoryStore()
        _ = try run().export(from: NumberSource(hasSlots: true), to: store)
        try store.delete(DatasetKeys.manifest)
        try bury(store)
        let source = NumberSource(stamp: ["n": 2], hasSlots: true)
        _ = try run().export(from: source, to: store)
        #expect(source.events.read { $0 } == ["left behind: a slot of numbers", "made"])
        #expect(try Hold.all(in: store).count == 1)
    }

    @Test("is shown by status, and freed by it where its run is gone")
    func status() throws {
        let store = MemoryStore()
        let source = NumberSource(hasSlots: true)
        _ = try run().export(from: source, to: store)
        let since = try #require(try hold(in: store)).since
        func lines(_ releases: Bool, _ source: NumberSource? = nil) throws -> [String] {
            let outcome = try run().status(
                of: store, source: source, target: nil, releases: releases)
            return Array(
                outcome.lines.drop { !$0.hasPrefix("held on ") }.map {
                    $0.replacing(since, with: "then")
                        .split(separator: " by process ").first.map(String.init) ?? ""
                })
        }
        // It is at work: this very process.
        let held = "held on numbers:test since then"
        #expect(try lines(true, source) == [held, "  a slot of numbers"])
        try bury(store)
        #expect(
            try lines(false) == [
                held, "  a slot of numbers",
                "  sluice status --release with --source frees it",
            ])
        let found = failure(of: { try lines(true) })
        #expect(found?.message == "what is held on numbers:test can only be released there")
        #expect(found?.hint == "Give --source numbers:test as well.")
        #expect(try lines(true, source) == [held, "  a slot of numbers", "  released"])
        #expect(source.events.read { $0 } == ["made", "released: a slot of numbers"])
        #expect(try lines(true, source) == [])
    }
}

@Suite("Handing over to the next stage")
struct HandoffTests {
    private let writer: HandoffWriter = { form, facts throws(Failure) in
        form == "known" ? ["start \(facts.engine) at \(facts.tables.count) tables"] : nil
    }

    private func run() -> Run { ExportTests.run { $0.takesSlot = true } }

    @Test("prints what the driver says of the form, or the position itself")
    func forms() throws {
        let store = MemoryStore()
        _ = try run().export(from: NumberSource(hasSlots: true), to: store)
        let known = try run().handoff(store, for: "known", by: writer)
        #expect(known.lines == ["start numbers at 1 tables"])
        #expect(known.details.first?.value == "known")
        let position = try run().handoff(store, for: "json", by: writer)
        #expect(position.lines == ["{\"exact\":true,\"details\":{}}"])
        let unknown = failure(of: { try run().handoff(store, for: "else", by: writer) })
        #expect(unknown?.message == "there is no handoff of a numbers dataset for 'else'")
        #expect(unknown?.hint == "handoff.json in the dataset holds the position.")
        #expect(unknown?.kind == .usage)
    }

    @Test("is refused before the dataset is finished, and without an exact position")
    func refused() throws {
        let store = MemoryStore()
        _ = try run().export(from: NumberSource(hasSlots: true), to: store)
        try store.delete(DatasetKeys.manifest)
        let early = failure(of: { try run().handoff(store, for: "json", by: writer) })
        #expect(early?.message == "the dataset in memory is unfinished")
        #expect(early?.hint == "Finish the export first; then its position holds.")
        #expect(early?.kind == .unfinished)
        let other = MemoryStore()
        _ = try ExportTests.run().export(from: NumberSource(), to: other)
        let vague = failure(of: { try run().handoff(other, for: "json", by: writer) })
        #expect(vague?.message == "the position of the dataset in memory is not exact")
        #expect(vague?.kind == .refused)
    }
}

@Suite("What a source has not")
struct MissingFactsTests {
    private func expect(
        _ run: Run, _ message: String, _ hint: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let store = MemoryStore()
        for found in [
            failure(of: { try run.export(from: NumberSource(), to: store) }),
            failure(of: { try run.plan(NumberSource(), for: nil) }),
        ] {
            #expect(found?.message == message, sourceLocation: sourceLocation)
            #expect(found?.hint == hint, sourceLocation: sourceLocation)
            #expect(found?.kind == .usage, sourceLocation: sourceLocation)
        }
        #expect(try Dataset.find(in: store) == nil, sourceLocation: sourceLocation)
    }

    @Test("is refused by name before anything is done")
    func refused() throws {
        try expect(
            ExportTests.run { $0.takesSlot = true }, "numbers:test has no replication slots",
            "Leave --position slot out.")
    }
}

@Suite("Who is at work")
struct HolderTests {
    @Test("is not a process that ended and that nobody has waited for")
    func zombie() throws {
        var child = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        defer { free(arguments[0]) }
        #expect(posix_spawn(&child, "/bin/true", nil, nil, &arguments, environ) == 0)
        defer { waitpid(child, nil, 0) }
        func fields() throws -> [Substring] {
            let text = SystemFile.text("/proc/\(child)/stat")
            let end = try #require(text.lastIndex(of: ")"))
            return text[end...].split(separator: " ")
        }
        while try fields()[1] != "Z" { usleep(1000) }
        let json = Lease.Holder.current(run: "r").json
            .setting("process", to: .int(Int(child)))
            .setting("processStart", to: .string(String(try fields()[20])))
        let holder = try Lease.Holder(ObjectReader(json: json, key: "lease.json"))
        #expect(holder.isAlive == false)
        #expect(Lease.Holder.current(run: "r").isAlive == true)
    }
}
