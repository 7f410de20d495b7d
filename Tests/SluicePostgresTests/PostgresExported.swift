import SluiceCore
import SluiceRecords
import TestSupport

@testable import SluicePostgres

/// Servers ask for a password, which the file that `PGPASSFILE` names holds.
func open(_ url: String, stop: StopSignal = StopSignal()) throws -> PostgresConnection {
    try PostgresConnection(try PostgresAddress(url: url, shown: "postgres://test"), stop: stop)
}

func source(_ url: String) throws -> PostgresSource {
    try PostgresSource(url: url, shown: "postgres://test")
}

extension Exported {
    init(
        _ snapshot: any Snapshot, of names: [String], chunkBytes: Int = 1 << 20,
        chunkLimit: Int = 10_000, filter: String? = nil, rowByteLimit: Int = 256 << 20,
        hidesKeys: Bool = false
    ) throws {
        try self.init(
            snapshot, of: names.map { TableName(schema: "public", Name($0)) },
            PlanOptions(chunkBytes: chunkBytes, chunkLimit: chunkLimit, filter: filter),
            rowByteLimit: rowByteLimit, hidesKeys: hidesKeys)
    }
}
