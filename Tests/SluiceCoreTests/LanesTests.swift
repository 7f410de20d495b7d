import Glibc
import SluiceCore
import Testing

@Suite("Lanes")
struct LanesTests {
    @Test("run at the same time and are all waited for")
    func together() throws {
        let arrived = Monitor(0)
        // Each waits for all: they would never end one after the other.
        let lane: Lanes.Lane = { () throws(Failure) in
            arrived.change { $0 += 1 }
            _ = arrived.wait { $0 == 8 ? true : nil }
        }
        try Lanes.run(Array(repeating: lane, count: 8))
        #expect(arrived.read { $0 } == 8)
        try Lanes.run([])
    }

    @Test("throw the first failure after all have ended, and tell once")
    func firstFailure() {
        let queue = BoundedQueue<Int>(limit: 1)
        let told = Monitor<[String]>([])
        let ended = Monitor(0)
        let failing: Lanes.Lane = { () throws(Failure) in throw Failure(.failed, "first") }
        let waiting: Lanes.Lane = { () throws(Failure) in
            while queue.take() != nil {}
            ended.change { $0 += 1 }
            throw Failure(.failed, "because of the first")
        }
        do throws(Failure) {
            try Lanes.run([waiting, failing, waiting]) { failure in
                told.change { $0.append(failure.message) }
                queue.abandon()
            }
            Issue.record("no failure was thrown")
        } catch {
            #expect(error.message == "first")
        }
        #expect(told.read { $0 } == ["first"])
        #expect(ended.read { $0 } == 2)
    }

    @Test("say so when the system refuses a thread")
    func refused() async {
        await #expect(processExitsWith: .success) {
            var before = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &before)
            // No room for one more stack.
            var none = rlimit(rlim_cur: 1, rlim_max: before.rlim_max)
            let lane: Lanes.Lane = { () throws(Failure) in }
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &none)
            do throws(Failure) {
                try Lanes.run([lane, lane])
                exit(1)
            } catch {
                setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &before)
                #expect(
                    error.description == """
                        the system refuses a thread
                        hint: Use fewer --lanes, or raise the limit with ulimit -u.
                        """)
                #expect(error.kind == .failed)
            }
        }
    }
}

@Suite("A bounded queue")
struct BoundedQueueTests {
    @Test("hands every element to exactly one taker, in order for one")
    func order() throws {
        let queue = BoundedQueue<Int>(limit: 3)
        let taken = Monitor<[Int]>([])
        let putter: Lanes.Lane = { () throws(Failure) in
            for number in 0..<1000 { _ = queue.put(number) }
            queue.close()
        }
        let taker: Lanes.Lane = { () throws(Failure) in
            while let number = queue.take() { taken.change { $0.append(number) } }
        }
        try Lanes.run([putter, taker])
        #expect(taken.read { $0 } == Array(0..<1000))
    }

    @Test("never holds more than its limit")
    func bound() throws {
        let queue = BoundedQueue<Int>(limit: 2)
        let held = Monitor((now: 0, most: 0))
        let putter: Lanes.Lane = { () throws(Failure) in
            for number in 0..<500 {
                _ = queue.put(number)
                held.change { held in
                    held.now += 1
                    held.most = max(held.most, held.now)
                }
            }
            queue.close()
        }
        let taker: Lanes.Lane = { () throws(Failure) in
            while queue.take() != nil { held.change { $0.now -= 1 } }
        }
        try Lanes.run([putter, taker])
        // A taker counts behind its take, so one more may show.
        #expect(held.read { $0.most } <= 3)
        #expect(held.read { $0.now } == 0)
    }

    @Test("gives what is left after it was closed, then nothing")
    func close() {
        let queue = BoundedQueue<Int>(limit: 5)
        #expect(queue.put(1) && queue.put(2))
        queue.close()
        #expect(queue.take() == 1)
        #expect(queue.take() == 2)
        #expect(queue.take() == nil)
        #expect(queue.take() == nil)
    }

    @Test("wakes putters and takers when it is abandoned, and drops what is left")
    func abandon() throws {
        let full = BoundedQueue<Int>(limit: 1)
        let empty = BoundedQueue<Int>(limit: 1)
        #expect(full.put(1))
        let results = Monitor<[Bool]>([])
        let putter: Lanes.Lane = { () throws(Failure) in
            let isTaken = full.put(2)
            results.change { $0.append(isTaken) }
        }
        let taker: Lanes.Lane = { () throws(Failure) in
            let isSomething = empty.take() != nil
            results.change { $0.append(isSomething) }
        }
        let abandoner: Lanes.Lane = { () throws(Failure) in
            full.abandon()
            empty.abandon()
        }
        try Lanes.run([putter, taker, abandoner])
        #expect(results.read { $0 } == [false, false])
        #expect(full.take() == nil)
        #expect(!empty.put(1))
    }
}

@Suite("A monitor")
struct MonitorTests {
    @Test("loses no change of any lane")
    func changes() throws {
        let number = Monitor(0)
        let lane: Lanes.Lane = { () throws(Failure) in
            for _ in 0..<10_000 { number.change { $0 += 1 } }
        }
        try Lanes.run([lane, lane, lane, lane])
        #expect(number.read { $0 } == 40_000)
    }

    @Test("gives up waiting after the limit, also after none", arguments: [-5, 0, 20])
    func limit(_ milliseconds: Int) {
        let number = Monitor(0)
        let begin = Clock.now
        let result = number.wait(atMost: .milliseconds(milliseconds)) { $0 == 1 ? true : nil }
        #expect(result == nil)
        #expect(Clock.now - begin >= .milliseconds(milliseconds))
    }

    @Test("wakes who waits with a limit, however long")
    func wakes() throws {
        let number = Monitor(0)
        let woken = Monitor<Bool?>(nil)
        let waiter: Lanes.Lane = { () throws(Failure) in
            let result = number.wait(atMost: .seconds(Int64.max)) { $0 == 1 ? true : nil }
            woken.change { $0 = result }
        }
        let changer: Lanes.Lane = { () throws(Failure) in number.change { $0 = 1 } }
        try Lanes.run([waiter, changer])
        #expect(woken.read { $0 } == true)
    }
}

@Suite("Trying again")
struct RetryTests {
    private let quick = Retry(
        attemptLimit: 4, firstPause: .microseconds(10), pauseLimit: .microseconds(40))
    private let transient = Failure(.unavailable, "busy", isTransient: true)

    @Test("goes on until it succeeds")
    func succeeds() throws {
        var attempts = 0
        var told: [Int] = []
        let result = try quick.run(
            stop: StopSignal(), onRetry: { _, number in told.append(number) }
        ) { () throws(Failure) in
            attempts += 1
            if attempts < 3 { throw transient }
            return "done"
        }
        #expect(result == "done")
        #expect(told == [1, 2])
    }

    @Test("ends with the last failure when the attempts are used up")
    func usedUp() {
        var attempts = 0
        do throws(Failure) {
            try quick.run(stop: StopSignal()) { () throws(Failure) in
                attempts += 1
                throw Failure(.unavailable, "busy \(attempts)", isTransient: true)
            }
            Issue.record("no failure was thrown")
        } catch {
            #expect(error.message == "busy 4")
        }
        #expect(attempts == 4)
    }

    @Test("does not happen for a lasting failure, or when it is not wanted")
    func notAgain() {
        for (retry, failure) in [(quick, Failure(.failed, "no")), (Retry.never, transient)] {
            var attempts = 0
            do throws(Failure) {
                try retry.run(stop: StopSignal()) { () throws(Failure) in
                    attempts += 1
                    throw failure
                }
            } catch {
                #expect(error.message == failure.message)
            }
            #expect(attempts == 1)
        }
    }

    @Test("waits as long as the other side asks, up to a limit")
    func askedPause() throws {
        let retry = Retry(
            attemptLimit: 2, firstPause: .microseconds(1), pauseLimit: .microseconds(1),
            askedPauseLimit: .milliseconds(30))
        for (asked, least) in [(Duration.milliseconds(20), 20), (.seconds(3600), 30)] {
            let begin = Clock.now
            let busy = Failure(
                .unavailable, "busy", isTransient: true, retryAfter: asked)
            var attempts = 0
            try retry.run(stop: StopSignal()) { () throws(Failure) in
                attempts += 1
                if attempts == 1 { throw busy.during("asking").hinting("Wait.") }
            }
            #expect(attempts == 2)
            #expect(Clock.now - begin >= .milliseconds(least))
        }
    }

    @Test("ends its pause when the work should end")
    func stops() {
        let stop = StopSignal()
        let slow = Retry(attemptLimit: 2, firstPause: .seconds(600), pauseLimit: .seconds(600))
        let begin = Clock.now
        do throws(Failure) {
            try slow.run(stop: stop, onRetry: { _, _ in stop.raise(.signal) }) {
                () throws(Failure) in throw transient
            }
            Issue.record("no failure was thrown")
        } catch {
            #expect(error.kind == .interrupted)
        }
        #expect(Clock.now - begin < .seconds(300))
    }
}
