internal import CPq
internal import SluiceCore

/// The one way from libpq's and the server's errors to failures.
///
/// DETAIL and CONTEXT hold rows' values and are never shown; the message only where its SQLSTATE is
/// known to carry none.
enum PostgresFailure {
    /// What a result with an error means.
    static func failure(
        of result: OpaquePointer, at place: String, stop: StopSignal
    ) -> Failure {
        func field(_ code: Character) -> String? {
            guard let byte = code.asciiValue,
                let text = PQresultErrorField(result, Int32(byte))
            else { return nil }
            return String(cString: text)
        }
        guard let state = field("C") else {
            return lost(String(cString: PQresultErrorMessage(result)), at: place)
        }
        let copied = field("W").flatMap { PostgresCopyPlace($0) }
        let failure = make(
            state, message: field("M") ?? "the server reported an error", place: place,
            table: field("t"), column: field("c") ?? copied?.column, stop: stop
        ).at(row: copied?.row)
        return isRowRefused(state, isNamed: copied != nil)
            ? failure.refusing(row: copied?.row) : failure
    }

    /// - Parameter message: the server's MESSAGE, which is shown or not by the state.
    static func make(
        _ state: String, message: String, place: String, table: String? = nil,
        column: String? = nil, stop: StopSignal
    ) -> Failure {
        if state == "57014", let reason = stop.reason { return reason.failure }
        if let known = known(state, message, place) { return known }
        return Failure(
            kind(state), shown(state, message, table: table, column: column), code: state,
            hint: hint(state), isTransient: isTransient(state))
    }

    /// The connection broke, or libpq itself found something wrong.
    static func lost(_ message: String, at place: String) -> Failure {
        Failure(
            .unavailable, "the connection to \(place) was lost: \(firstLine(message))",
            hint: "Run the same command again when the server can be reached.", isTransient: true)
    }

    static func firstLine(_ message: String) -> String {
        let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason"
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}

/// What the CONTEXT of an error says of a COPY: `COPY orders, line 3, column note: "…"`. Nothing
/// else of it is looked at, because it holds values.
struct PostgresCopyPlace: Hashable {
    let row: Int
    let column: String?

    init?(_ context: String) {
        let lines = context.split(separator: "\n", omittingEmptySubsequences: true)
        guard let line = lines.first(where: { $0.utf8.starts(with: "COPY ".utf8) }),
            let start = line.range(of: ", line ")
        else { return nil }
        let rest = line[start.upperBound...]
        guard let row = Int(rest.prefix { ("0"..."9").contains($0) }) else { return nil }
        self.row = row
        let behind = rest.drop { ("0"..."9").contains($0) }.utf8
        let word = ", column "
        guard behind.starts(with: word.utf8) else {
            column = nil
            return
        }
        let name = behind.dropFirst(word.utf8.count).prefix { $0 != UInt8(ascii: ":") }
        column = name.isEmpty ? nil : String(Substring(name))
    }
}

extension Substring {
    /// By bytes: what stands around a name may join with its first letter.
    fileprivate func range(of part: String) -> Range<Index>? {
        let wanted = Array(part.utf8)
        var place = utf8.startIndex
        while place < utf8.endIndex {
            if utf8[place...].starts(with: wanted) {
                return place..<utf8.index(place, offsetBy: wanted.count)
            }
            place = utf8.index(after: place)
        }
        return nil
    }
}

extension PostgresFailure {
    /// States that need other words than the server's.
    private static func known(_ state: String, _ message: String, _ place: String) -> Failure? {
        switch state {
        case "40001" where message.contains("recovery"), "40P01" where message.contains("recovery"):
            return Failure(
                .failed, "the standby canceled a statement because replay needed what it reads",
                code: state,
                hint: "Pause replay with --consistency replica, or raise "
                    + "max_standby_streaming_delay on the standby.")
        case "57014":
            return Failure(
                .failed, "somebody canceled a statement of sluice on \(place)", code: state,
                hint: "Run the same command again.")
        case "57P01", "57P02", "57P03", "57P05":
            return Failure(
                .unavailable, "\(place) ended the connection: \(message)", code: state,
                hint: "Run the same command again when the server is up.", isTransient: true)
        case "55P03":
            return Failure(
                .unavailable, "a lock could not be had in time: \(message)", code: state,
                hint: "Another session holds or waits for it; run the same command again when "
                    + "that one is done.")
        case "53200" where message.contains("shared memory"):
            return Failure(
                .failed, "\(place) has no room for more locks", code: state,
                hint: "Raise max_locks_per_transaction on the server: every table takes some.")
        case "42501" where message.contains("row-level security"):
            return Failure(
                .failed, message, code: state,
                hint: "Use the table's owner or a user with BYPASSRLS: rows that a policy hides "
                    + "would be missing.")
        case "42501":
            return Failure(
                .failed, message, code: state,
                hint: "Grant the privilege to the user of the URL, or use another user.")
        default: return nil
        }
    }

    private static func kind(_ state: String) -> Failure.Kind {
        switch state.prefix(2) {
        case "08": .unavailable
        default: state == "53300" ? .unavailable : .failed
        }
    }

    private static func isTransient(_ state: String) -> Bool {
        state.hasPrefix("08") || state == "53300" || state == "40001" || state == "40P01"
    }

    private static func hint(_ state: String) -> String? {
        switch state {
        case "23505": "Two rows have the same key; was the table empty before the load?"
        case "23502", "23514", "23P01", "22001":
            "The target's table is stricter than the source's; change it, or leave the table out."
        case "23503":
            "A row refers to one that the target does not have; was a table left out, or limited "
                + "with --where?"
        case "53100": "Make room on the server's disk, then run the same command again."
        case "53200": "The server is out of memory; use fewer --lanes, or give it more."
        case "53300": "Use fewer --lanes, or raise max_connections."
        case "28000", "28P01": "Check the user, the password and the server's pg_hba.conf."
        default: nil
        }
    }

    /// Whether the state is about a row's values, so that others may be taken without it.
    ///
    /// - Parameter isNamed: the server says which row of a COPY it was.
    static func isRowRefused(_ state: String, isNamed: Bool) -> Bool {
        switch state {
        // The form of the whole COPY.
        case "22P04": false
        // Constraints on what a row holds: NOT NULL, CHECK (of a domain, too), UNIQUE, EXCLUDE, and
        // foreign keys that are there before the rows.
        case "23502", "23514", "23505", "23P01", "23503": true
        // Rows or index entries that are too large, wrong parameters of a type, and what a trigger
        // of the table raises.
        case "54000", "22023", "P0001": isNamed
        default: state.hasPrefix("22")
        }
    }

    /// Classes whose messages quote what was being read or computed.
    private static func carriesValues(_ state: String) -> Bool {
        switch state {
        case "22001", "22004", "22012", "22023": false
        default:
            ["22", "P0", "HV", "10", "20", "21", "2F", "38", "39"].contains(
                String(state.prefix(2)))
        }
    }

    private static func shown(
        _ state: String, _ message: String, table: String?, column: String?
    ) -> String {
        guard carriesValues(state) else { return message }
        let place =
            switch (table, column) {
            case (let table?, let column?): " in column \(column) of \(table)"
            case (let table?, nil): " in \(table)"
            case (nil, let column?): " in column \(column)"
            case (nil, nil): ""
            }
        return "\(words(state))\(place)"
    }

    /// What the conditions mean, without the values they are about.
    private static func words(_ state: String) -> String {
        switch state {
        case "22P02", "22P03": "a value has not the form of its type"
        case "22003": "a number is out of its type's range"
        case "22007": "a date or time has not the form of its type"
        case "22008": "a date or time is out of its type's range"
        case "22021": "a text has bytes that the database's encoding does not know"
        case "22P04": "the data of a COPY has not the form of the table"
        case "22P05": "a character has no counterpart in the database's encoding"
        case "22030", "22032": "a text is not valid JSON"
        case "2200M", "2200N": "a text is not valid XML"
        case "P0001": "a function of the database raised an exception"
        default: "the server refused a value"
        }
    }
}
