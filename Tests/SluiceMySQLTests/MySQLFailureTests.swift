import SluiceCore
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("What goes wrong with a MySQL server is told, and never a value")
struct MySQLFailureTests {
    private func make(_ number: Int, _ message: String) -> Failure {
        MySQLFailure.make(number, message: message, place: "mysql://h/d", stop: StopSignal())
    }

    @Test("messages that quote values are replaced by words, with column and row")
    func values() {
        for (number, message, words, row) in [
            (
                1366,
                "Incorrect string value: '\\xF0\\x9F' for column `shop`.`t`.`na``me` at row 3",
                "a value has not the form of its type, or characters it cannot hold in column "
                    + "na``me", 3
            ),
            (
                1292,
                "Incorrect datetime value: 'secret at row 9' for column `s`.`t`.`d` at row 12",
                "a date or time has not the form of its type in column d", 12
            ),
            (
                1265, "Data truncated for column 'e' at row 1",
                "a value does not fit its type in column e", 1
            ),
        ] {
            let found = make(number, message)
            #expect(found.message == words)
            #expect(found.row == row)
            #expect(!found.description.contains("secret"))
        }
        #expect(
            make(1690, "BIGINT value is out of range in 'secret'").message
                == "a number is out of its type's range")
        #expect(
            make(9999, "secret").message
                == "the server reported an error that it may have put values into")
        #expect(
            make(1644, "secret").message
                == "a trigger or function of the database raised an error")
    }

    @Test("of two equal keys the key's name is told, not their values")
    func duplicates() {
        let found = make(1062, "Duplicate entry 'for key 'x'-5' for key 'orders_pk'")
        #expect(found.message == "two rows have the same key orders_pk")
        #expect(found.code == "1062")
        #expect(
            found.hint
                == "Was the table empty before the load, and does its collation keep the values "
                + "apart?")
    }

    @Test("other messages of the server are passed on with what to do")
    func passed() {
        let expected: [(Int, String, Failure.Kind, String, String?, Bool)] = [
            (
                1146, "Table 'shop.t' doesn't exist", .failed, "table 'shop.t' doesn't exist", nil,
                false
            ),
            (
                1213, "Deadlock found when trying to get lock; try restarting transaction", .failed,
                "deadlock found when trying to get lock; try restarting transaction",
                "Run the same command again.", true
            ),
            (
                1205, "Lock wait timeout exceeded", .unavailable, "a lock could not be had in time",
                "Another session holds or waits for it; run the same command again when that one "
                    + "is done.", true
            ),
            (
                1142, "SELECT command denied to user 'u'@'h' for table `d`.`t`", .failed,
                "SELECT command denied to user 'u'@'h' for table `d`.`t`",
                "Grant the privilege to the user of the URL, or use another user.", false
            ),
            (
                1290, "The MariaDB server is running with the --read-only option so it cannot",
                .failed,
                "mysql://h/d does not take changes: the MariaDB server is running with the "
                    + "--read-only option so it cannot",
                "Is it a replica, or started with an option that forbids them?", false
            ),
            (
                1317, "Query execution was interrupted", .failed,
                "somebody killed a statement of sluice on mysql://h/d",
                "Run the same command again.", false
            ),
            (
                1969, "Query execution was interrupted (max_statement_time exceeded)", .failed,
                "mysql://h/d ended a statement of sluice that took too long",
                "Does a rule of the server's limit statements' time?", false
            ),
            (
                1064, "You have an error near 'secret'", .bug,
                "the server does not understand a statement of sluice", nil, false
            ),
            (
                2013, "Lost connection to server during query", .unavailable,
                "the connection to mysql://h/d was lost: lost connection to server during query",
                "Run the same command again when the server can be reached.", true
            ),
            (
                1452,
                "Cannot add or update a child row: a foreign key constraint fails (`d`.`c`, "
                    + "CONSTRAINT `k` FOREIGN KEY (`p`) REFERENCES `t` (`id`))", .failed,
                "cannot add or update a child row: a foreign key constraint fails (`d`.`c`, "
                    + "CONSTRAINT `k` FOREIGN KEY (`p`) REFERENCES `t` (`id`))",
                "A row refers to one that the target does not have; was a table left out, or "
                    + "limited with --where?", false
            ),
            (
                1114, "The table 't' is full", .failed, "the table 't' is full",
                "Make room for the server's data, then run the same command again.", false
            ),
        ]
        for (number, message, kind, words, hint, isTransient) in expected {
            let found = make(number, message)
            #expect(found.kind == kind, "\(number)")
            #expect(found.message == words)
            #expect(found.code == "\(number)")
            #expect(found.hint == hint)
            #expect(found.isTransient == isTransient, "\(number)")
        }
    }

    @Test("why a connection was not made")
    func refusals() {
        func refused(_ number: Int, _ message: String) -> Failure {
            MySQLFailure.refusal(number, message: message, place: "mysql://h/d")
        }
        let denied = refused(1045, "Access denied for user 'u'@'h' (using password: YES)")
        #expect(denied.kind == .usage)
        #expect(denied.message == "mysql://h/d does not accept the user or the password")
        #expect(
            refused(1049, "Unknown database 'd'").message == "mysql://h/d: unknown database 'd'")
        #expect(refused(1049, "Unknown database 'd'").kind == .usage)
        let full = refused(1040, "Too many connections")
        #expect(full.message == "mysql://h/d has no free connection")
        #expect(full.isTransient && full.kind == .unavailable)
        let away = refused(2002, "Can't connect to server on 'h' (115)")
        #expect(away.message == "mysql://h/d: can't connect to server on 'h' (115)")
        #expect(away.isTransient && away.kind == .unavailable)
        #expect(
            refused(2026, "TLS/SSL error: x").hint
                == "Check the ssl- parameters of the URL and the server's certificate.")
    }

    @Test("a statement that was killed because we are to stop ends as that")
    func stopped() {
        let stop = StopSignal()
        stop.raise(.timeLimit)
        let found = MySQLFailure.make(1317, message: "x", place: "p", stop: stop)
        #expect(found.kind == .unfinished)
    }
}
