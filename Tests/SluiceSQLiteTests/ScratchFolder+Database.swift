import Glibc
import SluiceCore
import SluiceRecords
import TestSupport

@testable import SluiceSQLite

extension ScratchFolder {
    /// Makes a database of these statements and closes it; says where it is.
    @discardableResult
    func database(_ sql: String, name: String = "a.db") throws -> String {
        let connection = try SQLiteConnection(path(name), .create, stop: StopSignal())
        try connection.execute(sql)
        connection.close()
        return path(name)
    }
}
