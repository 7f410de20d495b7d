internal import SluiceCore

/// Which server it is, and what is known to differ between them: the one place for it.
///
/// Developed and tested on MariaDB 10.11. What is said of MySQL 8 and of other versions of MariaDB
/// is from their documentation and untested.
struct MySQLFlavor: Hashable, Sendable {
    enum Family: String, Sendable {
        case mariadb
        case mysql
    }

    let family: Family
    /// `101119` for 10.11.19.
    let version: Int
    /// As the server says it.
    let text: String

    /// - Parameter text: what the server answers to `SELECT VERSION()`; old replicas want a
    ///   MariaDB to begin with `5.5.5-`.
    init(_ text: String) {
        self.text = text
        let isMariaDB = text.utf8.count >= 7 && text.lowercased().contains("mariadb")
        family = isMariaDB ? .mariadb : .mysql
        let bare = text.hasPrefix("5.5.5-") ? text.dropFirst(6) : text[...]
        let numbers = bare.prefix { $0 == "." || ("0"..."9").contains($0) }
            .split(separator: ".").prefix(3).map { Int($0) ?? 0 }
        version = zip(numbers, [10_000, 100, 1]).reduce(0) { $0 + $1.0 * $1.1 }
    }

    var isMariaDB: Bool { family == .mariadb }

    /// How messages name the product.
    var product: String { isMariaDB ? "MariaDB" : "MySQL" }

    /// Why this server cannot be worked with, if so.
    var complaint: String? {
        switch family {
        case .mariadb where version < 100_500:
            "runs MariaDB \(text), and sluice needs 10.5 or newer"
        case .mysql where version < 80_011:
            "runs MySQL \(text), and sluice needs 8.0.11 or newer"
        default: nil
        }
    }
}

// MARK: What only one of them has

extension MySQLFlavor {
    /// A limit on statements' time, of sessions' own: seconds on MariaDB, milliseconds and SELECTs
    /// only on MySQL.
    var statementTimeLimit: String { isMariaDB ? "max_statement_time" : "max_execution_time" }

    /// Whether `START TRANSACTION WITH CONSISTENT SNAPSHOT` tells its own place in the binary log.
    var hasBinlogSnapshot: Bool { isMariaDB }

    /// Whether DDL can be locked out by `BACKUP STAGE`; otherwise by `LOCK INSTANCE FOR BACKUP`.
    var hasBackupStages: Bool { isMariaDB }

    var hasSequences: Bool { isMariaDB }
    var hasSystemVersioning: Bool { isMariaDB }
    /// Whether JSON is a type of its own, or text with a check.
    var hasJSONType: Bool { !isMariaDB }
    /// UUID as a type of its own.
    var hasUUIDType: Bool { isMariaDB && version >= 100_700 }

    /// The most decimal places that DECIMAL has.
    var decimalScaleLimit: Int { isMariaDB ? 38 : 30 }

    /// Compares text byte by byte, blanks at its end included, as other engines do.
    var exactCollation: String {
        if isMariaDB { return "utf8mb4_nopad_bin" }
        return version >= 80_017 ? "utf8mb4_0900_bin" : "utf8mb4_bin"
    }

    /// Whether a `LOAD DATA` of UTF-8 takes bytes that are none where they are for a binary column.
    var takesBytesInLines: Bool { isMariaDB }

    /// Whether the diagnostics of a statement say which row a condition is about.
    var tellsRows: Bool { isMariaDB && version >= 100_700 }

    /// Whether rows of system-versioned tables can be given their times.
    var takesHistory: Bool { isMariaDB && version >= 101_100 }
}
