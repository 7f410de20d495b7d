import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("A value that ends")
struct RefreshedValueTests {
    private static let down = Failure(.unavailable, "down", isTransient: true)

    private struct World {
        var now = 1000
        var fetches = 0
        var expiry: Int? = 2000
        var isDown = false
    }

    private let world = Monitor(World())

    private func value() -> RefreshedValue<Int> {
        RefreshedValue(margin: 300, now: { [world] in world.read(\.now) }) {
            [world] _ throws(Failure) in
            let fetched = world.change { world -> (Int, Int?)? in
                world.fetches += 1
                return world.isDown ? nil : (world.fetches, world.expiry)
            }
            guard let fetched else { throw Self.down }
            return .init(value: fetched.0, expiry: fetched.1)
        }
    }

    private func set(_ body: (inout World) -> Void) { world.change { body(&$0) } }

    @Test("is fetched once, and again when its margin begins")
    func margin() throws {
        let value = value()
        #expect(try value.current() == 1)
        set { $0.now = 1699 }
        #expect(try value.current() == 1)
        set { ($0.now, $0.expiry) = (1700, 3000) }
        #expect(try value.current() == 2)
        #expect(try value.current() == 2)
    }

    @Test("is kept for ever when it has no end")
    func noEnd() throws {
        set { $0.expiry = nil }
        let value = value()
        #expect(try value.current() == 1)
        set { $0.now = 1 << 40 }
        #expect(try value.current() == 1)
    }

    @Test("serves until its end when it cannot be fetched again, which is tried once a minute")
    func outage() throws {
        let value = value()
        #expect(try value.current() == 1)
        set { ($0.now, $0.isDown) = (1700, true) }
        #expect(try value.current() == 1)
        set { $0.now = 1759 }
        #expect(try value.current() == 1)
        #expect(world.read(\.fetches) == 2)
        set { $0.now = 1760 }
        #expect(try value.current() == 1)
        #expect(world.read(\.fetches) == 3)
        set { $0.now = 2000 }
        #expect(failure { () throws(Failure) in try value.current() }?.message == "down")
        set { ($0.isDown, $0.expiry) = (false, 9000) }
        #expect(try value.current() == 5)
    }

    @Test("is not asked for all the time when little of it is left from the start")
    func shortLife() throws {
        set { $0.expiry = 1100 }
        let value = value()
        #expect(try value.current() == 1)
        set { $0.now = 1009 }
        #expect(try value.current() == 1)
        set { $0.now = 1010 }
        #expect(try value.current() == 2)
    }

    @Test("is fetched again when it was refused, unless it has been replaced")
    func rejected() throws {
        let value = value()
        #expect(try value.current() == 1)
        value.reject { $0 == 7 }
        #expect(try value.current() == 1)
        value.reject { $0 == 1 }
        #expect(try value.current() == 2)
        value.reject { $0 == 1 }
        #expect(try value.current() == 2)
        set { $0.isDown = true }
        value.reject { $0 == 2 }
        #expect(failure { () throws(Failure) in try value.current() }?.message == "down")
    }

    @Test("is fetched by one lane while the others wait for the same result")
    func oneFetch() throws {
        for isDown in [false, true] {
            let waiting = Monitor(0)
            let fetches = Monitor(0)
            let value = RefreshedValue<Int>(margin: 300, now: { 1000 }) { _ throws(Failure) in
                fetches.change { $0 += 1 }
                _ = waiting.wait { $0 == 16 ? true : nil }
                // The others are between their count and their turn.
                Clock.sleep(.milliseconds(50))
                if isDown { throw Self.down }
                return .init(value: 5, expiry: nil)
            }
            let results = Monitor<[String]>([])
            let lane: Lanes.Lane = { () throws(Failure) in
                waiting.change { $0 += 1 }
                do throws(Failure) {
                    let current = try value.current()
                    results.change { $0.append("\(current)") }
                } catch {
                    results.change { $0.append(error.message) }
                }
            }
            try Lanes.run(Array(repeating: lane, count: 16))
            #expect(results.read { $0 } == Array(repeating: isDown ? "down" : "5", count: 16))
            #expect(fetches.read { $0 } == 1)
        }
    }
}
