internal import Glibc

/// The same numbers for the same seed (splitmix64). Its text says how to have them again.
public struct SeededRandom: RandomNumberGenerator, CustomStringConvertible, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// The seed that `SLUICE_TEST_SEED` asks for, or a new one.
    public init() {
        let wanted = getenv("SLUICE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        self.init(seed: wanted ?? UInt64.random(in: 0...UInt64.max))
    }

    public var description: String { "SLUICE_TEST_SEED=\(seed)" }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
