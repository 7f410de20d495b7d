import SluiceCore
import SluiceRecords
import TestSupport

@testable import SluiceMySQL

/// Servers ask for a password, which the option file below `MYSQL_HOME` holds.
func open(_ url: String, stop: StopSignal = StopSignal()) throws -> MySQLConnection {
    try MySQLConnection(try MySQLAddress(url: url, shown: "mysql://test"), stop: stop)
}

func source(_ url: String) throws -> MySQLSource {
    try MySQLSource(url: url, shown: "mysql://test")
}

extension Exported {
    /// - Parameter chunkRows: nothing: as the statistics have it.
    init(
        _ snapshot: any Snapshot, of names: [String], chunkRows: Int? = nil,
        chunkLimit: Int = 10_000, filter: String? = nil, rowByteLimit: Int = 256 << 20,
        hidesKeys: Bool = false
    ) throws {
        let options = PlanOptions(chunkBytes: 1 << 30, chunkLimit: chunkLimit, filter: filter)
        try self.init(
            snapshot, of: names.map { TableName(Name($0)) }, options, rowByteLimit: rowByteLimit,
            hidesKeys: hidesKeys
        ) { session, table in
            guard let chunkRows, let own = session as? MySQLSession else {
                return try session.plan(table, options)
            }
            return try own.plan(table, options, chunkRows: chunkRows)
        }
    }
}
