internal import SluiceCore

/// The labels of an ENUM or SET, in the server's order.
struct MySQLLabels: Hashable, Sendable {
    private let labels: [[UInt8]]

    /// - Parameter declared: `enum('a','b')`, as the server prints it.
    init(_ declared: String) {
        let bytes = Array(declared.utf8)
        var labels: [[UInt8]] = []
        var place = bytes.firstIndex(of: UInt8(ascii: "(")) ?? bytes.count
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "'"),
                let end = MySQLTokens.stringEnd(bytes, place)
            else {
                place += 1
                continue
            }
            labels.append(
                MySQLDefault.unescaped(Array(bytes[place..<end])).map { Array($0.utf8) } ?? [])
            place = end
        }
        self.labels = labels
    }

    /// Whether one of them is ''.
    var areWithEmpty: Bool { labels.contains { $0.isEmpty } }

    /// Whether one of them is the text, byte by byte: the server would take another case for it,
    /// and a number for its place.
    func contain(_ text: UnsafeRawBufferPointer) -> Bool { ordinal(of: text) != nil }

    /// Which of them is the text, counted from 1; nothing where none is.
    func ordinal(of text: UnsafeRawBufferPointer) -> Int? {
        for index in labels.indices where isLabel(index, text, 0, text.count) { return index &+ 1 }
        return nil
    }

    /// Whether the text is some of them in their order, with commas between.
    func areSome(_ text: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        var next = 0
        guard text.count > 0 else { return true }
        while true {
            var end = place
            while end < text.count, text[end] != UInt8(ascii: ",") { end &+= 1 }
            while next < labels.count, !isLabel(next, text, place, end) { next &+= 1 }
            guard next < labels.count else { return false }
            next &+= 1
            guard end < text.count else { return true }
            place = end &+ 1
        }
    }

    @inline(__always)
    private func isLabel(
        _ index: Int, _ text: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> Bool {
        guard labels[index].count == end &- start else { return false }
        for offset in 0..<labels[index].count where labels[index][offset] != text[start &+ offset] {
            return false
        }
        return true
    }
}
