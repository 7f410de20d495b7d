internal import CMariaDB
internal import SluiceCore

/// A prepared INSERT whose parameters are bound by columns, many rows at once, as MariaDB takes
/// them. Belongs to its connection's lane.
///
/// Values are added one by one, row by row; where they are is worked out when they are sent,
/// because the buffer they are in moves while it grows.
final class MySQLArrays {
    /// The most values of all columns; more rows at once are no faster.
    private static let cellLimit = 1 << 14
    private static let rowLimit = 4096

    /// The values' bytes, one behind the other.
    var bytes = ByteBuffer(capacity: 768 << 10)
    let rowCapacity: Int
    private(set) var rowCount = 0
    private let statement: UnsafeMutablePointer<MYSQL_STMT>
    private let columnCount: Int
    // By columns: a column's values of all rows are neighbours.
    private let starts: UnsafeMutableBufferPointer<Int>
    private let lengths: UnsafeMutableBufferPointer<UInt>
    private let pointers: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
    private let indicators: UnsafeMutableBufferPointer<CChar>
    private let binds: UnsafeMutableBufferPointer<MYSQL_BIND>

    /// - Parameter statement: prepared; this closes it.
    /// - Parameter areBytes: for each column, whether its values are no text.
    init(_ statement: UnsafeMutablePointer<MYSQL_STMT>, areBytes: [Bool]) {
        self.statement = statement
        columnCount = areBytes.count
        rowCapacity = max(1, min(MySQLArrays.rowLimit, MySQLArrays.cellLimit / areBytes.count))
        let cellCount = rowCapacity * columnCount
        starts = .allocate(capacity: cellCount)
        starts.initialize(repeating: 0)
        lengths = .allocate(capacity: cellCount)
        lengths.initialize(repeating: 0)
        pointers = .allocate(capacity: cellCount)
        pointers.initialize(repeating: nil)
        indicators = .allocate(capacity: cellCount)
        indicators.initialize(repeating: 0)
        binds = .allocate(capacity: columnCount)
        binds.initialize(repeating: MYSQL_BIND())
        for (column, isBytes) in areBytes.enumerated() {
            let first = column * rowCapacity
            binds[column].buffer_type = isBytes ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING
            binds[column].buffer = pointers.baseAddress.map { UnsafeMutableRawPointer($0 + first) }
            binds[column].length = lengths.baseAddress.map { $0 + first }
            binds[column].u.indicator = indicators.baseAddress.map { $0 + first }
        }
    }

    deinit {
        mysql_stmt_close(statement)
        starts.deallocate()
        lengths.deallocate()
        pointers.deallocate()
        indicators.deallocate()
        binds.deallocate()
    }

    func removeAll() {
        rowCount = 0
        bytes.removeAll(keepingAtMost: 1 << 20)
    }

    /// The value that ends where the bytes end is the row's in this column.
    @inline(__always)
    func endValue(_ column: Int, from start: Int) {
        let place = column &* rowCapacity &+ rowCount
        starts[place] = start
        lengths[place] = UInt(bitPattern: bytes.count &- start)
        indicators[place] = 0
    }

    @inline(__always)
    func endNull(_ column: Int) {
        let place = column &* rowCapacity &+ rowCount
        starts[place] = 0
        lengths[place] = 0
        indicators[place] = CChar(STMT_INDICATOR_NULL.rawValue)
    }

    @inline(__always)
    func endRow() { rowCount &+= 1 }

    /// Sends what was added.
    func execute(on connection: MySQLConnection) throws(Failure) -> MySQLChange {
        let base = UnsafeMutableRawPointer(mutating: bytes.bytes.baseAddress)
        for column in 0..<columnCount {
            let first = column * rowCapacity
            for place in first..<(first + rowCount) {
                pointers[place] = base.map { $0 + starts[place] }
            }
        }
        var count = UInt32(rowCount)
        mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &count)
        mysql_stmt_bind_param(statement, binds.baseAddress)
        return try connection.execute(statement)
    }
}

/// What a statement did.
struct MySQLChange: Hashable, Sendable {
    var rowCount: Int
    var warningCount: Int
}

// MARK: On a connection

extension MySQLConnection {
    /// Whether parameters may be bound by arrays.
    var takesArrays: Bool {
        get throws(Failure) { sluice_mysql_takes_arrays(try handle()) != 0 }
    }

    /// A prepared statement, which whoever asks for it closes.
    func prepare(_ sql: String) throws(Failure) -> UnsafeMutablePointer<MYSQL_STMT> {
        let session = try handle()
        guard let statement = mysql_stmt_init(session) else {
            throw Failure(.failed, "libmariadb has no memory for a statement")
        }
        let bytes = Array(sql.utf8)
        var result: Int32 = 0
        do throws(Failure) {
            try bytes.withUnsafeBufferPointer { (text) throws(Failure) in
                let start = UnsafeRawPointer(text.baseAddress)?.assumingMemoryBound(to: CChar.self)
                try finish(
                    session,
                    mysql_stmt_prepare_start(&result, statement, start, UInt(text.count))
                ) { mysql_stmt_prepare_cont(&result, statement, $0) }
            }
            guard result == 0 else { throw failure(session) }
            return statement
        } catch {
            mysql_stmt_close(statement)
            throw error
        }
    }

    fileprivate func execute(
        _ statement: UnsafeMutablePointer<MYSQL_STMT>
    ) throws(Failure) -> MySQLChange {
        let session = try handle()
        var result: Int32 = 0
        try finish(session, mysql_stmt_execute_start(&result, statement)) {
            mysql_stmt_execute_cont(&result, statement, $0)
        }
        guard result == 0 else { throw failure(session) }
        return MySQLChange(
            rowCount: Int(truncatingIfNeeded: mysql_stmt_affected_rows(statement)),
            warningCount: Int(mysql_stmt_warning_count(statement)))
    }
}
