public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice doctor`: what to know before the window. Leaves nothing behind.
    ///
    /// - Parameter window: what it is expected to take.
    public func doctor(
        source: (any Source)?, store: (any Store)?, target: (any Target)?, window: Duration
    ) throws(Failure) -> Outcome {
        var findings: [(place: String, finding: Finding)] = []
        if let source { findings += source.examine(window: window).map { (source.place, $0) } }
        if let store { findings += StoreExamination(store).carryOut().map { (store.place, $0) } }
        if let target { findings += target.examine().map { (target.place, $0) } }
        var outcome = Outcome(command: "doctor")
        for (place, finding) in findings {
            // What cannot be reached says itself what it is.
            let what =
                finding.what.hasPrefix(place) ? finding.what : "\(place): \(finding.what)"
            outcome.lines.append("\(finding.verdict.rawValue)  \(what)")
            if let remedy = finding.remedy { outcome.lines.append("      \(remedy)") }
        }
        outcome.details.append(
            .init(
                "findings",
                .array(
                    findings.map { place, finding in
                        [
                            "place": .string(place),
                            "verdict": .string(finding.verdict.rawValue),
                            "what": .string(finding.what), "remedy": JSON(finding.remedy),
                        ]
                    })))
        if findings.contains(where: { $0.finding.verdict == .fail }) {
            outcome.status = .failed
            outcome.exitKind = .failed
        }
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    /// `sluice handoff`: what the next stage needs to start from the dataset's position.
    ///
    /// - Parameter writer: what the drivers know of forms.
    public func handoff(
        _ store: any Store, for form: String, by writer: HandoffWriter
    ) throws(Failure) -> Outcome {
        let dataset = try Dataset.require(in: store)
        let header = dataset.header
        let facts = HandoffFacts(
            dataset: dataset.id, engine: header.engine, identity: header.identity,
            position: header.position, tables: header.tables)
        guard header.position.isExact else {
            // The driver knows best what would have made it exact.
            _ = try writer(form, facts)
            throw Failure(
                .refused, "the position of the dataset in \(store.place) is not exact",
                hint: "A \(dataset.header.engine) source has no position that '\(form)' could "
                    + "start from.")
        }
        guard try dataset.manifest() != nil else {
            throw Failure(
                .unfinished, "the dataset in \(store.place) is unfinished",
                hint: "Finish the export first; then its position holds.")
        }
        var outcome = Outcome(command: "handoff")
        outcome.dataset = dataset.id
        outcome.tables = header.tables.count
        outcome.position = header.position.json
        if form == "json" {
            outcome.lines = [header.position.json.compact]
        } else {
            guard let lines = try writer(form, facts) else {
                throw Failure(
                    .usage, "there is no handoff of a \(header.engine) dataset for '\(form)'",
                    hint: "\(DatasetKeys.handoff) in the dataset holds the position.")
            }
            outcome.lines = lines
        }
        outcome.details = [
            .init("form", .string(form)), .init("text", .array(outcome.lines.map(JSON.string))),
        ]
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }
}

/// A round trip through a store: put, create-only twice, get, list, delete.
private struct StoreExamination {
    private static let byteCount = 4 << 20

    private let store: any Store
    private let key = "reports/doctor-\(RandomID.make(byteCount: 8))"

    init(_ store: any Store) {
        self.store = store
    }

    func carryOut() -> [Finding] {
        var findings: [Finding] = []
        do throws(Failure) {
            try roundTrip(&findings)
        } catch {
            try? store.delete(key)
            try? store.delete(key + "-new")
            findings.append(Finding(.fail, error.headline, remedy: error.hint))
        }
        return findings
    }

    private func roundTrip(_ findings: inout [Finding]) throws(Failure) {
        var payload = ByteBuffer(capacity: StoreExamination.byteCount)
        var generator = SystemRandomNumberGenerator()
        while payload.count < StoreExamination.byteCount {
            withUnsafeBytes(of: generator.next()) { payload.append($0) }
        }
        let putStart = Clock.now
        try store.put(payload.bytes, at: key)
        let putTime = Clock.now - putStart
        findings.append(Finding(.pass, "objects can be put (\(rate(putTime)))"))
        try findings.append(createOnly(payload.bytes))
        let getStart = Clock.now
        var back = ByteBuffer()
        let isThere = try store.get(key, into: &back, byteLimit: StoreExamination.byteCount)
        let getTime = Clock.now - getStart
        let isEqual = isThere && SHA256.hash(back.bytes) == SHA256.hash(payload.bytes)
        findings.append(
            isEqual
                ? Finding(.pass, "objects come back as they were put (\(rate(getTime)))")
                : Finding(.fail, "an object came back other than it was put"))
        findings.append(try part(of: payload.bytes))
        try findings.append(listed())
        try store.delete(key)
        let isGone = try !store.get(key, into: &back, byteLimit: StoreExamination.byteCount)
        findings.append(
            isGone
                ? Finding(.pass, "objects can be deleted")
                : Finding(.fail, "a deleted object is still there"))
        if let clockLead = store.traffic.clockLead { findings.append(clock(clockLead)) }
    }

    /// Nothing needs parts of objects yet, but whatever comes between changes no byte.
    private func part(of bytes: UnsafeRawBufferPointer) throws(Failure) -> Finding {
        let range = bytes.count / 2..<bytes.count / 2 + 1000
        var part = ByteBuffer()
        do throws(Failure) {
            guard try store.get(range, of: key, into: &part) else {
                return Finding(.fail, "an object that was read whole cannot be read in part")
            }
        } catch {
            guard !error.isTransient else { throw error }
            return Finding(
                .warn, "parts of objects cannot be read", remedy: "Nothing here needs them.")
        }
        return part.bytes.elementsEqual(bytes[range])
            ? Finding(.pass, "parts of objects can be read")
            : Finding(.fail, "a part of an object came back other than it was put")
    }

    /// Signatures are good for a quarter of an hour, and an answer is a second old.
    private func clock(_ lead: Int) -> Finding {
        guard abs(lead) > 2 else {
            return Finding(.pass, "the clock here agrees with the store's")
        }
        let what =
            "the clock here is \(abs(lead)) s \(lead < 0 ? "behind" : "ahead of") the store's"
        return Finding(
            abs(lead) < 60 ? .pass : .warn, what, remedy: abs(lead) < 60 ? nil : "Set the clock.")
    }

    /// On a free key first: what a store can do shows only there.
    private func createOnly(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Finding {
        let fresh = key + "-new"
        let small = UnsafeRawBufferPointer(rebasing: bytes.prefix(64))
        guard try store.create(small, at: fresh) else {
            return Finding(.fail, "a create-only put was refused where no object is")
        }
        let isTwice = try store.create(bytes, at: fresh)
        let isOverwritten = try store.create(bytes, at: key)
        try store.delete(fresh)
        if isTwice || isOverwritten {
            return Finding(
                .fail, "a create-only put overwrote an object",
                remedy: "Let one writer at a time use this store.")
        }
        return store.facts.hasConditionalPut
            ? Finding(.pass, "create-only puts are refused where an object is")
            : Finding(
                .warn, "the store does not decide which of two writers creates an object",
                remedy: "Let one writer at a time use this store.")
    }

    private func listed() throws(Failure) -> Finding {
        var isListed = false
        if store.facts.canList {
            try store.list("reports/") { object throws(Failure) in
                isListed = isListed || object.key == key
                return !isListed
            }
        }
        return isListed
            ? Finding(.pass, "objects are listed")
            : Finding(.warn, "an object is not listed", remedy: "sluice prune will not work.")
    }

    private func rate(_ time: Duration) -> String {
        let perSecond = Double(StoreExamination.byteCount) / max(time.inSeconds, 1e-6)
        return "\(ByteCount.text(Int(perSecond)))/s"
    }
}
