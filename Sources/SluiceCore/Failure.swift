/// The one error type: what went wrong, where, and what to do about it (design §9).
///
/// A reference behind one word, so that throwing it is cheap. Never holds a secret or a row's
/// values.
public struct Failure: Error, Sendable {
    /// What a failure means to whoever started sluice; decides the exit code.
    public enum Kind: String, Sendable, CaseIterable {
        case failed
        case usage
        case differs
        case unfinished
        case unavailable
        case refused
        case bug
        case interrupted

        /// The process exit code (design §8).
        public var exitCode: Int32 {
            switch self {
            case .failed: 1
            case .usage: 2
            case .differs: 3
            case .unfinished: 4
            case .unavailable: 5
            case .refused: 6
            case .bug: 70
            case .interrupted: 130
            }
        }
    }

    private struct Facts: Sendable {
        var kind: Kind
        var message: String
        var code: String?
        var places: [String] = []
        var hint: String?
        var isTransient: Bool
        var retryAfter: Duration?
        var row: Int?
        var refusesRow = false
        var refusedRow: Int?
    }

    private final class Storage: Sendable {
        let facts: Facts

        init(_ facts: Facts) {
            self.facts = facts
        }
    }

    private let storage: Storage

    public var kind: Kind { storage.facts.kind }
    /// Lower case, no final stop.
    public var message: String { storage.facts.message }
    /// The server's or library's own code, shown in brackets behind the message.
    public var code: String? { storage.facts.code }
    /// Innermost first: `loading shard 00017 of chunk 12 of orders`.
    public var places: [String] { storage.facts.places }
    /// A sentence: an action or a question.
    public var hint: String? { storage.facts.hint }
    /// Whether trying the same again may help.
    public var isTransient: Bool { storage.facts.isTransient }
    /// How long the other side wants to be left alone before that.
    public var retryAfter: Duration? { storage.facts.retryAfter }
    /// The row at fault among those that were being loaded, counted from 1, where nobody has named
    /// it yet.
    public var row: Int? { storage.facts.row }
    /// Whether it is the values of some row that were refused: without that row the others may be
    /// taken.
    public var refusesRow: Bool { storage.facts.refusesRow }
    /// The row that was refused among those that were being loaded, counted from 1, whether or not
    /// it has been named; nothing where that is not known.
    public var refusedRow: Int? { storage.facts.refusedRow }

    public init(
        _ kind: Kind, _ message: String, code: String? = nil, hint: String? = nil,
        isTransient: Bool = false, retryAfter: Duration? = nil
    ) {
        storage = Storage(
            Facts(
                kind: kind, message: message, code: code, hint: hint, isTransient: isTransient,
                retryAfter: retryAfter))
    }

    private func with(_ change: (inout Facts) -> Void) -> Failure {
        var facts = storage.facts
        change(&facts)
        return Failure(facts)
    }

    private init(_ facts: Facts) {
        storage = Storage(facts)
    }

    /// The same failure with one more place around it; added by the layer that knows it, once per
    /// layer.
    public func during(_ place: String) -> Failure { with { $0.places.append(place) } }

    /// The same failure about one of the rows that were being loaded; nothing: it has been named.
    public func at(row: Int?) -> Failure { with { $0.row = row } }

    /// The same failure as the refusal of a row's values.
    ///
    /// - Parameter row: counted from 1 among those that were being loaded; nothing: not known.
    public func refusing(row: Int?) -> Failure {
        with {
            $0.refusesRow = true
            $0.refusedRow = row
        }
    }

    /// The same failure with another hint, where an outer layer knows the better remedy.
    public func hinting(_ hint: String) -> Failure { with { $0.hint = hint } }

    /// The same failure under another kind, where an outer layer knows what it means.
    public func asKind(_ kind: Kind) -> Failure { with { $0.kind = kind } }

    /// The same failure, tried often enough.
    public var asLasting: Failure {
        with {
            $0.isTransient = false
            $0.retryAfter = nil
        }
    }

    /// The message with its code, as the first line of `description` shows it.
    public var headline: String {
        code.map { "\(message) [\($0)]" } ?? message
    }
}

extension Failure: CustomStringConvertible {
    /// The lines a user sees, without the program's name.
    public var description: String {
        var lines = [headline]
        lines += places.map { "  while \($0)" }
        if let hint { lines.append("hint: \(hint)") }
        return lines.joined(separator: "\n")
    }
}

/// Runs `body` and adds `place` to whatever failure comes out of it.
@inlinable
public func during<Result>(
    _ place: @autoclosure () -> String, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    do {
        return try body()
    } catch {
        throw error.during(place())
    }
}
