internal import SluiceCore
internal import SluiceRecords

/// Brings the transactions of all lanes to one instant, and finds its place in the binary log.
struct MySQLInstant {
    /// How it is known that all lanes see the same.
    enum Proof: String, Sendable {
        /// There is but one.
        case oneLane = "one lane"
        /// Each snapshot's own place in a log that has every change.
        case ownPlaces = "equal places in the binary log"
        case globalLock = "a global read lock"
        case tableLocks = "read locks on the tables"
        /// The log's end was the same before and after.
        case unmovedLog = "an unmoved binary log"
        /// Read locks that are still held.
        case heldLocks = "read locks held to the end"
        /// Nothing was locked, because it is only a look.
        case none = "nothing"
    }

    let lanes: [MySQLConnection]
    let locker: MySQLConnection
    let log: MySQLLog
    let tables: [Name]
    private(set) var proof = Proof.none
    private(set) var place: MySQLLog.Place?

    /// How often lanes are opened anew until they meet; a busy server changes between any two.
    private static let meetingLimit = 50
    private static let comparisonLimit = 20

    init(_ lanes: [MySQLConnection], _ locker: MySQLConnection, _ log: MySQLLog, _ tables: [Name]) {
        self.lanes = lanes
        self.locker = locker
        self.log = log
        self.tables = tables
    }

    private var flavor: MySQLFlavor { locker.flavor }

    private static func begin(_ lane: MySQLConnection) throws(Failure) {
        try lane.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    }

    /// Under locks that somebody else holds, or for a look.
    mutating func open(under proof: Proof) throws(Failure) {
        for lane in lanes { try MySQLInstant.begin(lane) }
        if log.isReadable { place = try MySQLLog.end(locker) }
        self.proof = proof
    }

    /// Without a lock where that is proof enough, else under a short one. What the account may not
    /// do is left out.
    mutating func open() throws(Failure) {
        if try meet() { return }
        if lanes.count == 1, !log.isComplete {
            try MySQLInstant.begin(lanes[0])
            proof = .oneLane
            return
        }
        do throws(Failure) {
            try MySQLLocks.take(nil, on: locker)
            return try openUnderLocks(.globalLock)
        } catch  where MySQLPrivilege.isMissing(error) {
            // Then perhaps the tables'.
        }
        do throws(Failure) {
            try MySQLLocks.take(tables, on: locker)
            return try openUnderLocks(.tableLocks)
        } catch  where MySQLPrivilege.isMissing(error) {
            try compare()
        }
    }

    private mutating func openUnderLocks(_ proof: Proof) throws(Failure) {
        let opening = Result { () throws(Failure) in
            for lane in lanes { try MySQLInstant.begin(lane) }
            return log.isReadable ? try MySQLLog.end(locker) : nil
        }
        try MySQLLocks.release(on: locker)
        place = try opening.get()
        self.proof = proof
    }

    /// Opens lanes until all are at one place; false where that proves nothing, or they do not
    /// meet.
    private mutating func meet() throws(Failure) -> Bool {
        guard flavor.hasBinlogSnapshot, log.isComplete else { return false }
        var places: [MySQLLog.Place?] = []
        for lane in lanes {
            try MySQLInstant.begin(lane)
            places.append(try MySQLLog.snapshot(lane))
        }
        for _ in 0..<MySQLInstant.meetingLimit {
            guard let latest = try MySQLInstant.latest(places) else { return false }
            let late = places.indices.filter { places[$0] != latest }
            if late.isEmpty {
                place = latest
                proof = lanes.count == 1 ? .oneLane : .ownPlaces
                return true
            }
            for index in late {
                try MySQLInstant.begin(lanes[index])
                places[index] = try MySQLLog.snapshot(lanes[index])
            }
        }
        return false
    }

    /// The last of the places; nothing where one is unknown.
    private static func latest(
        _ places: [MySQLLog.Place?]
    ) throws(Failure) -> MySQLLog.Place? {
        let known = places.compactMap { $0 }
        guard known.count == places.count else { return nil }
        // Numbers of files count up, with more digits where six are not enough.
        return known.max { left, right in
            (left.file.utf8.count, left.file, left.offset)
                < (right.file.utf8.count, right.file, right.offset)
        }
    }

    /// Without any lock: by the log's end before and after.
    private mutating func compare() throws(Failure) {
        if log.isComplete {
            for _ in 0..<MySQLInstant.comparisonLimit {
                let before = try MySQLLog.end(locker)
                for lane in lanes { try MySQLInstant.begin(lane) }
                if let before, try MySQLLog.end(locker) == before {
                    place = before
                    proof = .unmovedLog
                    return
                }
            }
        }
        guard lanes.count == 1 else {
            throw Failure(
                .refused,
                "the user may lock nothing on \(locker.place), and without that "
                    + "\(lanes.count) lanes cannot be shown to see the same",
                hint: "Grant RELOAD or LOCK TABLES, or use --lanes 1.")
        }
        try MySQLInstant.begin(lanes[0])
        place = nil
        proof = .oneLane
    }
}
