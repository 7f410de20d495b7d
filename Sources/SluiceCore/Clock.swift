internal import Glibc

/// Times for people and for measuring.
public enum Clock {
    /// Seconds since 1970, UTC.
    public static var wallSeconds: Int { Int(time(nil)) }

    /// Monotonic; only differences mean anything.
    public static var now: ContinuousClock.Instant { ContinuousClock.now }

    /// `2026-01-31T23:59:59Z`.
    public static func timestamp(_ seconds: Int = wallSeconds) -> String {
        var parts = tm()
        var moment = time_t(seconds)
        gmtime_r(&moment, &parts)
        let date =
            "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1))-\(pad(Int(parts.tm_mday)))"
        return
            "\(date)T\(pad(Int(parts.tm_hour))):\(pad(Int(parts.tm_min))):\(pad(Int(parts.tm_sec)))Z"
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Blocks this thread.
    public static func sleep(_ duration: Duration) {
        let parts = duration.components
        var wanted = timespec(
            tv_sec: Int(parts.seconds), tv_nsec: Int(parts.attoseconds / 1_000_000_000))
        var left = timespec()
        while nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
    }
}

extension Duration {
    /// As a number, for rates and reports.
    public var inSeconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }
}
