internal import CMariaDB
internal import SluiceCore

/// The rows of a statement as they come in, one at a time; nothing is kept.
///
/// Its connection does nothing else until the last row was read or `close` called. Belongs to one
/// lane.
final class MySQLRows {
    private let connection: MySQLConnection
    private var handle: UnsafeMutablePointer<MYSQL_RES>?
    let columnCount: Int
    /// Of the row that `next` brought: one pointer for each column, nothing for NULL, valid until
    /// the next call.
    private(set) var values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    /// How many bytes each value has.
    private(set) var lengths: UnsafeMutablePointer<UInt>?

    init(_ connection: MySQLConnection, _ handle: UnsafeMutablePointer<MYSQL_RES>) {
        self.connection = connection
        self.handle = handle
        columnCount = Int(mysql_num_fields(handle))
    }

    deinit {
        close()
    }

    /// Goes to the next row; false when there is none, and then the connection is free again.
    func next() throws(Failure) -> Bool {
        guard let handle else { return false }
        if let row = try connection.fetch(handle) {
            values = row
            lengths = mysql_fetch_lengths(handle)
            return true
        }
        values = nil
        self.handle = nil
        try connection.endRows(handle)
        return false
    }

    /// A value of the row, valid until the next call; empty for NULL.
    @inline(__always)
    func bytes(_ column: Int) -> UnsafeRawBufferPointer {
        guard let values, let lengths else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: values[column], count: Int(lengths[column]))
    }

    @inline(__always)
    func isNull(_ column: Int) -> Bool { values?[column] == nil }

    /// Gives up the rest of the rows; the server is told to stop. May be called twice.
    func close() {
        guard let handle else { return }
        self.handle = nil
        values = nil
        connection.abandonRows(handle)
    }
}
