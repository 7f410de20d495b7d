import SluiceCore
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("What goes wrong with a server is told, and never a value")
struct PostgresFailureTests {
    private func make(
        _ state: String, _ message: String, table: String? = nil, column: String? = nil
    ) -> Failure {
        PostgresFailure.make(
            state, message: message, place: "postgres://h/d", table: table, column: column,
            stop: StopSignal())
    }

    @Test("messages that quote values are replaced by words")
    func values() {
        for (state, words) in [
            ("22P02", "a value has not the form of its type"),
            ("22003", "a number is out of its type's range"),
            ("22007", "a date or time has not the form of its type"),
            ("22008", "a date or time is out of its type's range"),
            ("22021", "a text has bytes that the database's encoding does not know"),
            ("22P04", "the data of a COPY has not the form of the table"),
            ("22P05", "a character has no counterpart in the database's encoding"),
            ("22030", "a text is not valid JSON"), ("2200M", "a text is not valid XML"),
            ("P0001", "a function of the database raised an exception"),
            ("HV000", "the server refused a value"),
        ] {
            let found = make(state, "it was secret")
            #expect(found.message == words)
            #expect(found.code == state)
            #expect(found.kind == .failed)
            #expect(!found.isTransient)
        }
        #expect(
            make("22P02", "secret", table: "t", column: "c").message
                == "a value has not the form of its type in column c of t")
        #expect(
            make("22P02", "secret", table: "t").message
                == "a value has not the form of its type in t")
    }

    @Test("other messages of the server are passed on with what to do")
    func passed() {
        let expected: [(String, String, Failure.Kind, String?, Bool)] = [
            (
                "23505", "duplicate key value violates \"k\"", .failed,
                "Two rows have the same key; was the table empty before the load?", false
            ),
            (
                "23514", "new row violates check constraint \"c\"", .failed,
                "The target's table is stricter than the source's; change it, or leave the table "
                    + "out.", false
            ),
            (
                "23503", "violates foreign key constraint \"f\"", .failed,
                "A row refers to one that the target does not have; was a table left out, or "
                    + "limited with --where?", false
            ),
            ("08006", "it broke", .unavailable, nil, true),
            (
                "53300", "sorry, too many clients already", .unavailable,
                "Use fewer --lanes, or raise max_connections.", true
            ),
            (
                "53100", "could not extend file", .failed,
                "Make room on the server's disk, then run the same command again.", false
            ),
            ("40P01", "deadlock detected", .failed, nil, true),
            (
                "42501", "permission denied for table t", .failed,
                "Grant the privilege to the user of the URL, or use another user.", false
            ),
        ]
        for (state, message, kind, hint, isTransient) in expected {
            let found = make(state, message)
            #expect(found.message == message)
            #expect(found.kind == kind)
            #expect(found.hint == hint)
            #expect(found.isTransient == isTransient)
        }
    }

    @Test("some need other words than the server's")
    func others() {
        let expected: [(String, String, String, String)] = [
            (
                "40001", "canceling statement due to conflict with recovery",
                "the standby canceled a statement because replay needed what it reads",
                "Pause replay with --consistency replica, or raise max_standby_streaming_delay on "
                    + "the standby."
            ),
            (
                "57014", "canceling statement due to user request",
                "somebody canceled a statement of sluice on postgres://h/d",
                "Run the same command again."
            ),
            (
                "57P01", "terminating connection due to administrator command",
                "postgres://h/d ended the connection: terminating connection due to administrator "
                    + "command",
                "Run the same command again when the server is up."
            ),
            (
                "53200", "out of shared memory", "postgres://h/d has no room for more locks",
                "Raise max_locks_per_transaction on the server: every table takes some."
            ),
            (
                "42501", "query would be affected by row-level security policy for table \"t\"",
                "query would be affected by row-level security policy for table \"t\"",
                "Use the table's owner or a user with BYPASSRLS: rows that a policy hides would "
                    + "be missing."
            ),
            (
                "55P03", "canceling statement due to lock timeout",
                "a lock could not be had in time: canceling statement due to lock timeout",
                "Another session holds or waits for it; run the same command again when that one "
                    + "is done."
            ),
        ]
        for (state, message, shown, hint) in expected {
            let found = make(state, message)
            #expect(found.message == shown)
            #expect(found.hint == hint)
        }
        let stop = StopSignal()
        stop.raise(.timeLimit)
        #expect(
            PostgresFailure.make("57014", message: "", place: "p", stop: stop).message
                == "the time limit was reached")
    }

    @Test("a URL is looked at before anything is opened, and its password never shown")
    func urls() throws {
        let mistakes: [(String, String, String?)] = [
            (
                "postgres://u:se%ZZcret@h/d",
                "postgres://u:***@h/d is not a URL that libpq "
                    + "understands",
                "Write postgres://user@host:port/database, and special characters of names and "
                    + "passwords as %XX."
            ),
            (
                "postgres://h/d?sslmod=require",
                "postgres://u:***@h/d has the parameter 'sslmod', which libpq does not know",
                "The parameters are those of libpq, like sslmode and connect_timeout."
            ),
        ]
        for (url, message, hint) in mistakes {
            let found = failure(of: { () throws(Failure) in
                _ = try PostgresAddress(url: url, shown: "postgres://u:***@h/d")
            })
            #expect(found?.message == message)
            #expect(found?.hint == hint)
            #expect(found?.kind == .usage)
        }
    }

    @Test("a password command's first line is the password")
    func passwordCommands() throws {
        let address = try PostgresAddress(
            url: "postgres://h/d", shown: "p", passwordCommand: "printf 'a b\\nc'")
        #expect(address.parameters().first { $0.name == "password" }?.value == "a b")
        for (command, message, hint) in [
            (
                "false", "the password command failed", "Run the command by itself to see why."
            ),
            (
                "true", "the password command printed no password",
                "The first line of its output is taken."
            ),
        ] {
            let found = failure(of: { () throws(Failure) in
                _ = try PostgresAddress(
                    url: "postgres://h/d", shown: "p", passwordCommand: command)
            })
            #expect(found?.message == message)
            #expect(found?.hint == hint)
        }
    }
}
