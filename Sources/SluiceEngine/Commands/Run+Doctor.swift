public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice doctor`: what to know before the window. Leaves nothing behind.
    public func doctor(
        source: (any Source)?, store: (any Store)?, target: (any Target)?
    ) throws(Failure) -> Outcome {
        var findings: [(place: String, finding: Finding)] = []
        if let source { findings += source.examine().map { (source.place, $0) } }
        if let store { findings += StoreExamination(store).carryOut().map { (store.place, $0) } }
        if let target { findings += target.examine().map { (target.place, $0) } }
        var outcome = Outcome(command: "doctor")
        for (place, finding) in findings {
            outcome.lines.append("\(finding.verdict.rawValue)  \(place): \(finding.what)")
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
    public func handoff(_ store: any Store, for form: String) throws(Failure) -> Outcome {
        let dataset = try Dataset.require(in: store)
        guard dataset.header.position.isExact else {
            throw Failure(
                .refused, "the position of the dataset in \(store.place) is not exact",
                hint: "A \(dataset.header.engine) source has no position that '\(form)' could "
                    + "start from.")
        }
        throw Failure(
            .usage, "there is no handoff of a \(dataset.header.engine) dataset for '\(form)'",
            hint: "\(DatasetKeys.handoff) in the dataset holds the position.")
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
        if try store.create(payload.bytes, at: key) {
            findings.append(
                Finding(
                    .fail, "a create-only put overwrote an object",
                    remedy: "Let one writer at a time use this store."))
        } else {
            findings.append(Finding(.pass, "create-only puts are refused where an object is"))
        }
        let getStart = Clock.now
        var back = ByteBuffer()
        let isThere = try store.get(key, into: &back, byteLimit: StoreExamination.byteCount)
        let getTime = Clock.now - getStart
        let isEqual = isThere && SHA256.hash(back.bytes) == SHA256.hash(payload.bytes)
        findings.append(
            isEqual
                ? Finding(.pass, "objects come back as they were put (\(rate(getTime)))")
                : Finding(.fail, "an object came back other than it was put"))
        var isListed = false
        try store.list("reports/") { object throws(Failure) in
            isListed = isListed || object.key == key
            return !isListed
        }
        findings.append(
            isListed
                ? Finding(.pass, "objects are listed")
                : Finding(.warn, "an object is not listed", remedy: "sluice prune will not work."))
        try store.delete(key)
        let isGone = try !store.get(key, into: &back, byteLimit: StoreExamination.byteCount)
        findings.append(
            isGone
                ? Finding(.pass, "objects can be deleted")
                : Finding(.fail, "a deleted object is still there"))
    }

    private func rate(_ time: Duration) -> String {
        let perSecond = Double(StoreExamination.byteCount) / max(time.inSeconds, 1e-6)
        return "\(ByteCount.text(Int(perSecond)))/s"
    }
}
