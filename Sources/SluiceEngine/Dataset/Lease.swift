internal import Glibc
internal import SluiceCore
internal import SluiceStore

/// `lease.json`: who is working on a dataset now. Politeness, not correctness (design §6).
final class Lease: Sendable {
    /// What a lease says of its holder.
    struct Holder: Sendable, Equatable {
        var run: String
        var host: String
        var boot: String
        var process: Int
        /// Clock ticks since boot when the process began: process ids are used again.
        var processStart: String
        var counter: Int

        var shown: String { "process \(process) on \(host)" }
    }

    static let beat = Duration.seconds(20)
    static let standstill = Duration.seconds(60)

    private let store: any Store
    private let holder: Holder
    private let isOver = Monitor(false)
    private let thread: Thread

    private init(store: any Store, holder: Holder) throws(Failure) {
        self.store = store
        self.holder = holder
        try store.put(SealedJSON.bytes(holder.json), at: DatasetKeys.lease)
        let isOver = self.isOver
        thread = Thread {
            var holder = holder
            while isOver.wait(atMost: Lease.beat, { $0 ? true : nil }) == nil {
                holder.counter += 1
                // A store that is away for a moment does not end the run; the counter only stands
                // still.
                try? store.put(SealedJSON.bytes(holder.json), at: DatasetKeys.lease)
            }
        }
    }

    /// Takes the lease, over from a dead process where need be; throws when somebody is at work.
    static func take(in store: any Store, for run: Run) throws(Failure) -> Lease {
        if let other = try current(in: store) {
            try waitUntilGone(other, in: store, run: run)
        }
        return try Lease(store: store, holder: .current(run: run.id))
    }

    /// Ends the beat and removes the lease.
    func release() {
        isOver.change { $0 = true }
        thread.join()
        try? store.delete(DatasetKeys.lease)
    }

    /// Removes what a dead process left on a finished dataset, where nobody takes it over any more.
    static func clear(in store: any Store) throws(Failure) {
        guard let other = try current(in: store), other.isAlive == false else { return }
        try store.delete(DatasetKeys.lease)
    }

    /// The lease that is there now. One that cannot be read is none: it protects nothing.
    static func current(in store: any Store) throws(Failure) -> Holder? {
        guard let bytes = try store.bytes(of: DatasetKeys.lease, byteLimit: 1 << 16) else {
            return nil
        }
        guard let json = try? SealedJSON.open(bytes, key: DatasetKeys.lease) else { return nil }
        return try? Holder(ObjectReader(json: json, key: DatasetKeys.lease))
    }

    private static func waitUntilGone(
        _ other: Holder, in store: any Store, run: Run
    ) throws(Failure) {
        switch other.isAlive {
        case false: return
        case true: throw busy(other, in: store)
        default: break
        }
        run.log.info("\(other.shown) may be at work here; waiting a minute for a sign of life")
        let end = Clock.now + standstill
        while Clock.now < end {
            try run.stop.check()
            Clock.sleep(.seconds(1))
            guard let now = try current(in: store) else { return }
            if now != other { throw busy(now, in: store) }
        }
    }

    private static func busy(_ other: Holder, in store: any Store) -> Failure {
        Failure(
            .refused, "\(other.shown) is exporting into \(store.place)",
            hint: "Wait for it, stop it, or share its work with --join.")
    }
}

extension Lease.Holder {
    static func current(run: String) -> Lease.Holder {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Lease.Holder(
            run: run, host: host, boot: SystemFile.text("/proc/sys/kernel/random/boot_id"),
            process: Int(getpid()), processStart: processStart(of: Int(getpid())) ?? "",
            counter: 0)
    }

    /// Whether the process still runs, where that can be known: on this host since the same boot.
    var isAlive: Bool? {
        let here = Lease.Holder.current(run: run)
        guard host == here.host else { return nil }
        guard boot == here.boot else { return false }
        return Lease.Holder.processStart(of: process) == processStart
    }

    /// Field 22 of the process's stat line, behind the name in parentheses that may hold anything.
    private static func processStart(of process: Int) -> String? {
        let text = SystemFile.text("/proc/\(process)/stat")
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[end...].split(separator: " ")
        // One that has ended and that nobody has waited for is gone all the same.
        guard fields.count > 20, !["Z", "X"].contains(fields[1]) else { return nil }
        return String(fields[20])
    }

    var json: JSON {
        [
            "run": .string(run), "host": .string(host), "boot": .string(boot),
            "process": .int(process), "processStart": .string(processStart),
            "counter": .int(counter),
        ]
    }

    init(_ reader: ObjectReader) throws(Failure) {
        run = try reader.text("run")
        host = try reader.text("host")
        boot = try reader.text("boot")
        process = try reader.count("process")
        processStart = try reader.text("processStart")
        counter = try reader.count("counter")
    }
}

/// Small files of the system, like those in /proc.
enum SystemFile {
    /// The text without its last line feed; empty where it cannot be read.
    static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
