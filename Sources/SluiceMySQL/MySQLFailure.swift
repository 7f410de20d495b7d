internal import CMariaDB
internal import SluiceCore

/// The one way from libmariadb's and the server's errors to failures.
///
/// The server's own text is shown only for numbers that are known to carry no values of rows;
/// otherwise ours takes its place.
enum MySQLFailure {
    /// What the last call on a session failed with.
    ///
    /// - Parameter stop: whose reason a killed statement is put down to; nothing while it is
    ///   ignored.
    static func failure(
        of session: UnsafeMutablePointer<MYSQL>, at place: String, stop: StopSignal?
    ) -> Failure {
        make(
            Int(mysql_errno(session)), message: String(cString: mysql_error(session)), place: place,
            stop: stop)
    }

    /// - Parameter message: the server's, which is shown or not by the number.
    static func make(
        _ number: Int, message: String, place: String, stop: StopSignal?
    ) -> Failure {
        if number == Int(ER_QUERY_INTERRUPTED), let reason = stop?.reason { return reason.failure }
        if isLost(UInt32(clamping: number)) { return lost(message, number, at: place) }
        if let known = known(number, message, place) { return known }
        return Failure(
            .failed, shown(number, message), code: "\(number)", hint: hint(number),
            isTransient: number == 1213
        ).at(row: row(message))
    }

    /// Whether a number says that the session is over.
    static func isLost(_ number: UInt32) -> Bool {
        switch Int(number) {
        case 1053, 1079, 1080, 1159, 1160, 1161, 1158, 1927, 2002, 2003, 2006, 2012, 2013, 2055,
            3168, 3169:
            true
        default: false
        }
    }

    private static func lost(_ message: String, _ number: Int, at place: String) -> Failure {
        Failure(
            .unavailable, "the connection to \(place) was lost: \(lowered(message))",
            code: "\(number)",
            hint: "Run the same command again when the server can be reached.", isTransient: true)
    }

    /// Why a connection was not made.
    static func refusal(
        _ session: UnsafeMutablePointer<MYSQL>, _ address: MySQLAddress
    ) -> Failure {
        refusal(
            Int(mysql_errno(session)), message: String(cString: mysql_error(session)),
            place: address.place)
    }

    static func notEncrypted(at place: String) -> Failure {
        Failure(
            .usage, "\(place) does not offer TLS, which its ssl-mode asks for",
            hint: "Switch TLS on at the server, or use ssl-mode=preferred.")
    }

    static func refusal(_ number: Int, message: String, place: String) -> Failure {
        let code = "\(number)"
        switch number {
        case 1045, 1698:
            return Failure(
                .usage, "\(place) does not accept the user or the password", code: code,
                hint: "Check user and password; the password may also come from an option file "
                    + "or a password command.")
        case 1044, 1049, 1130, 1862, 1820, 3118, 3955, 4151, 2059, 1251, 1275, 2061:
            return Failure(
                .usage, "\(place): \(lowered(message))", code: code,
                hint: "Check user, database and address in the URL.")
        case 2026 where message.hasSuffix("the server does not support it"):
            return notEncrypted(at: place)
        case 2026:
            return Failure(
                .usage, "\(place): \(lowered(message))", code: code,
                hint: "Check the ssl- parameters of the URL and the server's certificate.")
        case 1040, 1203, 1226:
            return Failure(
                .unavailable, "\(place) has no free connection", code: code,
                hint: "Use fewer --lanes, or raise max_connections.", isTransient: true)
        default:
            return Failure(
                .unavailable, "\(place): \(lowered(message))", code: code,
                hint: "Is the server running, and is the address right?", isTransient: true)
        }
    }
}

extension MySQLFailure {
    /// Numbers that need other words than the server's.
    private static func known(_ number: Int, _ message: String, _ place: String) -> Failure? {
        let code = "\(number)"
        switch number {
        case 1317:
            return Failure(
                .failed, "somebody killed a statement of sluice on \(place)", code: code,
                hint: "Run the same command again.")
        case 1969, 3024:
            return Failure(
                .failed, "\(place) ended a statement of sluice that took too long", code: code,
                hint: "Does a rule of the server's limit statements' time?")
        case 1205:
            return Failure(
                .unavailable, "a lock could not be had in time", code: code,
                hint: "Another session holds or waits for it; run the same command again when "
                    + "that one is done.", isTransient: true)
        case 1044, 1142, 1143, 1227, 1370, 1419, 3619:
            return Failure(
                .failed, lowered(message), code: code,
                hint: "Grant the privilege to the user of the URL, or use another user.")
        case 1290, 1836, 3100:
            return Failure(
                .failed, "\(place) does not take changes: \(lowered(message))", code: code,
                hint: "Is it a replica, or started with an option that forbids them?")
        case 1062, 1586, 1859:
            return Failure(
                .failed, "two rows have the same key\(key(message))", code: code,
                hint: "Was the table empty before the load, and does its collation keep the "
                    + "values apart?"
            ).at(row: row(message))
        case 1064, 1149:
            return Failure(
                .bug, "the server does not understand a statement of sluice", code: code)
        default: return nil
        }
    }

    /// The name behind `for key`, which is the last thing of the message; what stands before it are
    /// the values.
    private static func key(_ message: String) -> String {
        let word = Array("for key '".utf8)
        let bytes = Array(message.utf8)
        guard bytes.count > word.count, bytes.last == UInt8(ascii: "'") else { return "" }
        var start = bytes.count - word.count
        while start > 0, !bytes[start...].starts(with: word) { start -= 1 }
        guard bytes[start...].starts(with: word) else { return "" }
        let name = bytes[(start + word.count)..<(bytes.count - 1)]
        return " \(String(decoding: name, as: UTF8.self))"
    }

    /// The number at the end of `… at row 12`.
    static func row(_ message: String) -> Int? {
        let words = message.split(separator: " ")
        guard words.count > 3, words[words.count - 2] == "row", words[words.count - 3] == "at"
        else { return nil }
        return Int(words[words.count - 1])
    }

    /// The name in `column 'x'` or ``column `db`.`t`.`x` ``.
    static func column(_ message: String) -> String? {
        let bytes = Array(message.utf8)
        let word = Array("column ".utf8)
        // From the end: what stands before it may be a value that says the same.
        var start = bytes.count - word.count
        while start >= 0, !bytes[start...].starts(with: word) { start -= 1 }
        guard start >= 0 else { return nil }
        var rest = bytes[(start + word.count)...]
        if let end = rest.firstRange(of: Array(" at row ".utf8)) {
            rest = rest[..<end.lowerBound]
        }
        guard let quote = rest.first, quote == rest.last, rest.count > 2,
            quote == UInt8(ascii: "'") || quote == UInt8(ascii: "`")
        else { return nil }
        let inner = rest.dropFirst().dropLast()
        let dotted = Array("`.`".utf8)
        var name = inner[...]
        while quote == UInt8(ascii: "`"), let next = name.firstRange(of: dotted) {
            name = name[next.upperBound...]
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static func hint(_ number: Int) -> String? {
        switch number {
        case 1048, 1264, 1265, 1292, 1366, 1406, 4025, 3819:
            "The target's table is stricter than the source's; change it, or leave the table out."
        case 1216, 1452:
            "A row refers to one that the target does not have; was a table left out, or limited with"
                + " --where?"
        case 1021, 1114: "Make room for the server's data, then run the same command again."
        case 1153, 1301: "Raise max_allowed_packet on the server."
        case 1148, 3948, 4166: "Switch local_infile on at the server."
        case 1213: "Run the same command again."
        case 1412: "The table was changed after the snapshot was taken; run the same command again."
        case 1037, 1038, 1041: "The server is out of memory; use fewer --lanes, or give it more."
        default: nil
        }
    }

    /// Numbers whose messages name objects and numbers of ours, never what rows hold.
    private static let silent: Set<Int> = [
        1005, 1006, 1007, 1008, 1010, 1016, 1021, 1022, 1025, 1030, 1031, 1037, 1038, 1041, 1046,
        1048, 1049, 1050, 1051, 1054, 1060, 1061, 1067, 1068, 1069, 1070, 1071, 1072, 1073, 1074,
        1075, 1091, 1099, 1100, 1101, 1103, 1114, 1115, 1118, 1121, 1128, 1146, 1148, 1153, 1163,
        1164, 1165, 1166, 1168, 1170, 1171, 1178, 1193, 1194, 1195, 1197, 1207, 1213, 1215, 1217,
        1220, 1223, 1231, 1235, 1237, 1239, 1264, 1267, 1273, 1286, 1289, 1290, 1293, 1304, 1305,
        1347, 1356, 1359, 1360, 1364, 1381, 1399, 1406, 1412, 1418, 1449, 1451, 1452, 1478, 1486,
        1503, 1506, 1526, 1532, 1537, 1539, 1553, 1605, 1665, 1666, 1701, 1709, 1728, 1767, 1785,
        1786, 1807, 1813, 1814, 1822, 1823, 1824, 1825, 1826, 1830, 1832, 1833, 1834, 1835, 1845,
        1846, 1901, 1906, 1907, 1948, 3948, 4025, 4031, 4047, 4166, 3140, 3819, 3105, 3780, 3750,
    ]

    /// The server's text, or ours in its place.
    private static func shown(_ number: Int, _ message: String) -> String {
        if silent.contains(number) || (2000..<3000).contains(number) { return lowered(message) }
        guard let column = column(message) else { return words(number) }
        return "\(words(number)) in column \(column)"
    }

    /// What the numbers mean, without the values they are about.
    private static func words(_ number: Int) -> String {
        switch number {
        case 1265: "a value does not fit its type"
        case 1292, 1411, 1525: "a date or time has not the form of its type"
        case 1366, 1300: "a value has not the form of its type, or characters it cannot hold"
        case 1261, 1262: "the data of a LOAD has not the form of the table"
        case 1416: "a geometry has not the form of its type"
        case 1644: "a trigger or function of the database raised an error"
        case 1690: "a number is out of its type's range"
        default: "the server reported an error that it may have put values into"
        }
    }

    /// A sentence of a server's as ours are written: without its full stop, and without its capital
    /// where the first word is an ordinary one.
    static func lowered(_ message: String) -> String {
        let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason"
        var text = line.hasSuffix(".") ? String(line.dropLast()) : line
        let word = text.prefix { $0 != " " }
        if let first = word.first, first.isUppercase,
            word.dropFirst().allSatisfy({ $0.isLowercase || $0 == "'" })
        {
            text = first.lowercased() + text.dropFirst()
        }
        return text
    }
}

extension ArraySlice<UInt8> {
    /// The first place of `part`.
    func firstRange(of part: [UInt8]) -> Range<Int>? {
        var start = startIndex
        while start + part.count <= endIndex {
            if self[start..<(start + part.count)].elementsEqual(part) {
                return start..<(start + part.count)
            }
            start += 1
        }
        return nil
    }
}
