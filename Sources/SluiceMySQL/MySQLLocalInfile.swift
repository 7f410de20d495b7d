internal import CMariaDB
internal import SluiceCore

/// What `LOAD DATA LOCAL INFILE` reads instead of a file.
protocol MySQLLocalData: AnyObject {
    /// Writes the next bytes into `room` and says how many; 0 at the end. Called on the lane that
    /// loads, on a stack of `MySQLConnection.stackByteCount` bytes.
    func read(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int
}

/// What the server says of a `LOAD DATA` that it carried out.
struct MySQLLoadCounts: Hashable, Sendable {
    var records = 0
    var deleted = 0
    var skipped = 0
    var warnings = 0

    /// From `Records: 3  Deleted: 0  Skipped: 0  Warnings: 0`, which no server translates.
    init?(_ info: String) {
        let words = info.split { $0 == " " || $0 == ":" }
        guard words.count == 8, let records = Int(words[1]), let deleted = Int(words[3]),
            let skipped = Int(words[5]), let warnings = Int(words[7])
        else { return nil }
        self.records = records
        self.deleted = deleted
        self.skipped = skipped
        self.warnings = warnings
    }
}

/// Stands between libmariadb's callbacks and the data of the statement under way. A server that
/// asks for a file at any other time gets nothing.
final class MySQLLocalInfile {
    private var data: (any MySQLLocalData)?
    /// What the data threw; the statement has failed then, too.
    private(set) var failure: Failure?

    func begin(_ data: any MySQLLocalData) {
        self.data = data
        failure = nil
    }

    func end() {
        data = nil
    }

    /// From now on the session's requests for files come here; it must live as long as the session.
    func attach(to session: UnsafeMutablePointer<MYSQL>) {
        mysql_set_local_infile_handler(
            session,
            { state, _, context in
                state?.pointee = context
                guard let context else { return 1 }
                let infile = Unmanaged<MySQLLocalInfile>.fromOpaque(context).takeUnretainedValue()
                return infile.data == nil ? 1 : 0
            },
            { state, room, count in
                guard let state else { return -1 }
                let infile = Unmanaged<MySQLLocalInfile>.fromOpaque(state).takeUnretainedValue()
                return infile.read(
                    UnsafeMutableRawBufferPointer(start: room, count: Int(count)))
            },
            { _ in },
            { _, message, count in
                // libmariadb wants a text; what is thrown is the failure kept here.
                if let message, count > 0 { message.pointee = 0 }
                return Int32(CR_UNKNOWN_ERROR)
            },
            Unmanaged.passUnretained(self).toOpaque())
    }

    private func read(_ room: UnsafeMutableRawBufferPointer) -> Int32 {
        guard let data, failure == nil else { return -1 }
        do throws(Failure) {
            return Int32(clamping: try data.read(into: room))
        } catch {
            failure = error
            return -1
        }
    }
}
