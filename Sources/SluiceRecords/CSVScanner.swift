internal import Glibc
internal import SluiceCore

/// What separates the fields of a CSV, and how a field may hold it.
struct CSVSyntax {
    var delimiter = CSVText.comma
    /// Nothing: no field is quoted.
    var quote: UInt8? = CSVText.quote
    /// Whether a backslash makes the next byte plain, inside quotes and outside.
    var hasBackslash = false
    /// Whether a line may end in carriage return and line feed.
    var takesCarriageReturn = false
}

/// One field of a CSV, without its quotes.
struct CSVField {
    enum End {
        case delimiter
        case line
        /// The input ended without a line feed.
        case input
    }

    /// Valid until the next field is scanned, or the sink changes.
    var bytes: UnsafeRawBufferPointer
    /// The bytes are what the scan appended to the sink; otherwise they are in the input.
    var isInSink: Bool
    var isQuoted: Bool
    /// A bare `\N` in a syntax with backslashes.
    var isEscapedNull = false
    /// The physical line the field begins in.
    var line: Int
    var end: End
}

/// Cuts a CSV into fields, with windows of any size, and knows line and column of what is wrong.
///
/// A field that lies in one window and needs no change is handed out as it is there; otherwise
/// its bytes are gathered in a sink of the caller.
struct CSVScanner: ~Copyable {
    private enum Class {
        static let plain: UInt8 = 0
        static let delimiter: UInt8 = 1
        static let lineFeed: UInt8 = 2
        static let carriageReturn: UInt8 = 3
        static let quote: UInt8 = 4
        static let backslash: UInt8 = 5
    }

    var input = CSVInput()
    /// Names for messages, in the order of the CSV's columns.
    var names: [Name] = []
    /// The column that is being read, from 0; only for messages.
    var column = 0
    /// The physical line of `place`, from 1.
    private(set) var line = 1

    private let syntax: CSVSyntax
    private let classes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    private var window = UnsafeRawBufferPointer(start: nil, count: 0)
    private var place = 0
    private var rowByteLimit: Int

    init(_ syntax: CSVSyntax, rowByteLimit: Int) {
        self.syntax = syntax
        self.rowByteLimit = rowByteLimit
        classes.initialize(repeating: Class.plain, count: 256)
        classes[Int(CSVText.lineFeed)] = Class.lineFeed
        classes[0x0D] = Class.carriageReturn
        if syntax.hasBackslash { classes[Int(CSVText.backslash)] = Class.backslash }
        if let quote = syntax.quote { classes[Int(quote)] = Class.quote }
        classes[Int(syntax.delimiter)] = Class.delimiter
    }

    deinit {
        classes.deallocate()
    }

    /// Begins with other bytes.
    mutating func open(
        _ bytes: UnsafeRawBufferPointer, _ compression: CSVInput.Compression
    ) throws(Failure) {
        try input.open(bytes, compression)
        window = UnsafeRawBufferPointer(start: nil, count: 0)
        place = 0
        line = 1
        column = 0
    }

    /// Whether there is no further byte.
    mutating func isAtEnd() throws(Failure) -> Bool {
        if place < window.count { return false }
        return try !refill()
    }

    /// The next byte, which is not taken.
    mutating func peek() throws(Failure) -> UInt8? {
        try isAtEnd() ? nil : window[place]
    }

    /// Takes the bytes where they are next; for a byte order mark.
    mutating func skip(_ bytes: StaticString) {
        let count = bytes.utf8CodeUnitCount
        guard window.count - place >= count else { return }
        for offset in 0..<count where window[place + offset] != bytes.utf8Start[offset] { return }
        place += count
    }

    /// Passes over a physical line, whatever is in it.
    mutating func skipLine() throws(Failure) {
        while try !isAtEnd() {
            let byte = window[place]
            place &+= 1
            if byte == CSVText.lineFeed {
                line &+= 1
                return
            }
        }
    }

    /// The next field.
    ///
    /// - Parameter sink: where its bytes are gathered, if they have to be.
    /// - Parameter limit: how many bytes may be gathered.
    mutating func field(
        into sink: inout ByteBuffer, limit: Int
    ) throws(Failure) -> CSVField {
        if try isAtEnd() {
            return CSVField(
                bytes: UnsafeRawBufferPointer(start: nil, count: 0), isInSink: false,
                isQuoted: false, line: line, end: .input)
        }
        var gathered = Gathered(sink.count, limit: limit, line: line)
        if let quote = syntax.quote, window[place] == quote {
            return try quoted(by: quote, &gathered, into: &sink)
        }
        return try bare(&gathered, into: &sink)
    }

    /// What is known of the field that is being scanned.
    private struct Gathered {
        let start: Int
        let limit: Int
        let line: Int
        /// Where its bytes that are not in the sink begin in the window.
        var first = 0
        var isInSink = false

        init(_ start: Int, limit: Int, line: Int) {
            self.start = start
            self.limit = limit
            self.line = line
        }
    }

    private mutating func refill() throws(Failure) -> Bool {
        window = try input.next()
        place = 0
        return !window.isEmpty
    }

    private mutating func bare(
        _ gathered: inout Gathered, into sink: inout ByteBuffer
    ) throws(Failure) -> CSVField {
        gathered.first = place
        var sawEscapedN = false
        while true {
            while place < window.count, classes[Int(window[place])] == Class.plain { place &+= 1 }
            if place == window.count {
                try gather(upTo: place, &gathered, into: &sink)
                gathered.first = 0
                guard try refill() else {
                    return try finish(
                        &gathered, upTo: 0, &sink, isQuoted: false, sawEscapedN, .input)
                }
                continue
            }
            let last = place
            switch classes[Int(window[place])] {
            case Class.delimiter:
                place &+= 1
                return try finish(
                    &gathered, upTo: last, &sink, isQuoted: false, sawEscapedN, .delimiter)
            case Class.lineFeed:
                place &+= 1
                line &+= 1
                return try finish(&gathered, upTo: last, &sink, isQuoted: false, sawEscapedN, .line)
            case Class.carriageReturn:
                let upTo = try carriageReturn(&gathered, upTo: last, into: &sink)
                return try finish(&gathered, upTo: upTo, &sink, isQuoted: false, sawEscapedN, .line)
            case Class.backslash:
                try gather(upTo: last, &gathered, into: &sink)
                let isFirst = sink.count == gathered.start
                let byte = try escaped(&gathered, into: &sink)
                sawEscapedN = isFirst && byte == UInt8(ascii: "N")
            default:
                throw failure("stray quote", line: line)
            }
        }
    }

    private mutating func quoted(
        by quote: UInt8, _ gathered: inout Gathered, into sink: inout ByteBuffer
    ) throws(Failure) -> CSVField {
        place += 1
        gathered.first = place
        while true {
            let special = nextSpecial(quote)
            line &+= lineFeeds(from: place, to: special)
            place = special
            if place == window.count {
                try gather(upTo: place, &gathered, into: &sink)
                guard try refill() else {
                    throw failure("quote without an end", line: gathered.line)
                }
                gathered.first = 0
                continue
            }
            if window[place] != quote {
                try gather(upTo: place, &gathered, into: &sink)
                _ = try escaped(&gathered, into: &sink)
                continue
            }
            let last = place
            if place &+ 1 == window.count {
                // What follows decides, and is not here yet.
                try gather(upTo: last, &gathered, into: &sink)
                gathered.first = 0
                guard try refill() else {
                    return try finish(&gathered, upTo: 0, &sink, isQuoted: true, false, .input)
                }
                if window[0] == quote {
                    place = 1
                    continue
                }
                return try close(&gathered, upTo: 0, into: &sink)
            }
            place &+= 1
            if window[place] == quote {
                try gather(upTo: place, &gathered, into: &sink)
                place &+= 1
                gathered.first = place
                continue
            }
            return try close(&gathered, upTo: last, into: &sink)
        }
    }

    /// Behind the last quote of a field: its end, and nothing else.
    private mutating func close(
        _ gathered: inout Gathered, upTo last: Int, into sink: inout ByteBuffer
    ) throws(Failure) -> CSVField {
        switch classes[Int(window[place])] {
        case Class.delimiter:
            place &+= 1
            return try finish(&gathered, upTo: last, &sink, isQuoted: true, false, .delimiter)
        case Class.lineFeed:
            place &+= 1
            line &+= 1
            return try finish(&gathered, upTo: last, &sink, isQuoted: true, false, .line)
        case Class.carriageReturn:
            let upTo = try carriageReturn(&gathered, upTo: last, into: &sink)
            return try finish(&gathered, upTo: upTo, &sink, isQuoted: true, false, .line)
        default:
            throw failure("stray quote", line: line)
        }
    }

    /// At a carriage return: takes it and the line feed behind it. Gives where the field's bytes
    /// in the window end.
    private mutating func carriageReturn(
        _ gathered: inout Gathered, upTo last: Int, into sink: inout ByteBuffer
    ) throws(Failure) -> Int {
        var last = last
        if place &+ 1 == window.count {
            try gather(upTo: last, &gathered, into: &sink)
            gathered.first = 0
            last = 0
            // Without a next window the place stays before its end, and the check below fails as
            // it should.
            guard try refill() else { throw failure("stray carriage return", line: line) }
        } else {
            place &+= 1
        }
        guard syntax.takesCarriageReturn, window[place] == CSVText.lineFeed else {
            throw failure("stray carriage return", line: line)
        }
        place &+= 1
        line &+= 1
        return last
    }

    /// At a backslash: takes it and the byte behind it, which it gives as it was.
    private mutating func escaped(
        _ gathered: inout Gathered, into sink: inout ByteBuffer
    ) throws(Failure) -> UInt8 {
        place &+= 1
        if try isAtEnd() { throw failure("backslash at the end", line: line) }
        let byte = window[place]
        if byte == CSVText.lineFeed { line &+= 1 }
        if sink.count - gathered.start >= gathered.limit { throw tooLong(gathered.line) }
        sink.append(CSVScanner.meaning(of: byte))
        gathered.isInSink = true
        place &+= 1
        gathered.first = place
        return byte
    }

    /// What a backslash and this byte stand for, as MySQL and PostgreSQL have it.
    private static func meaning(of byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "0"): 0
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "Z"): 0x1A
        default: byte
        }
    }

    /// Where the next quote or backslash is, or the window's end.
    private func nextSpecial(_ quote: UInt8) -> Int {
        if syntax.hasBackslash {
            var index = place
            while index < window.count, window[index] != quote,
                window[index] != CSVText.backslash
            {
                index &+= 1
            }
            return index
        }
        guard let start = window.baseAddress, place < window.count,
            let found = memchr(start + place, Int32(quote), window.count - place)
        else { return window.count }
        return UnsafeRawPointer(found) - start
    }

    private func lineFeeds(from first: Int, to last: Int) -> Int {
        guard let start = window.baseAddress else { return 0 }
        var count = 0
        var index = first
        while index < last,
            let found = memchr(start + index, Int32(CSVText.lineFeed), last - index)
        {
            count &+= 1
            index = UnsafeRawPointer(found) - start + 1
        }
        return count
    }

    /// Puts the field's bytes in the window, up to `last`, into the sink.
    private func gather(
        upTo last: Int, _ gathered: inout Gathered, into sink: inout ByteBuffer
    ) throws(Failure) {
        let count = last - gathered.first
        if count > gathered.limit - (sink.count - gathered.start) { throw tooLong(gathered.line) }
        sink.append(UnsafeRawBufferPointer(rebasing: window[gathered.first..<last]))
        gathered.isInSink = true
        gathered.first = last
    }

    private func finish(
        _ gathered: inout Gathered, upTo last: Int, _ sink: inout ByteBuffer, isQuoted: Bool,
        _ isEscapedN: Bool, _ end: CSVField.End
    ) throws(Failure) -> CSVField {
        var bytes = UnsafeRawBufferPointer(rebasing: window[gathered.first..<last])
        if gathered.isInSink {
            try gather(upTo: last, &gathered, into: &sink)
            bytes = UnsafeRawBufferPointer(rebasing: sink.bytes[gathered.start...])
        }
        return CSVField(
            bytes: bytes, isInSink: gathered.isInSink, isQuoted: isQuoted,
            isEscapedNull: isEscapedN && bytes.count == 1, line: gathered.line, end: end)
    }
}

extension CSVScanner {
    /// What is wrong, with the line and the column that is being read.
    func failure(_ what: String, line: Int) -> Failure {
        let name = column < names.count ? " (\(names[column]))" : ""
        return Failure(.failed, "\(what) in line \(line), column \(column + 1)\(name)")
    }

    func tooLong(_ line: Int) -> Failure {
        failure("row of more than \(rowByteLimit) bytes", line: line)
            .hinting("Raise --row-bytes if rows may be this large.")
    }
}
