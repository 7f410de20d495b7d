internal import Glibc
public import SluiceCore

/// The failure that `body` ends with, if it does.
public func failure<Result, Thrown: Error>(of body: () throws(Thrown) -> Result) -> Failure? {
    do throws(Thrown) {
        _ = try body()
        return nil
    } catch {
        // Another error is a mistake of the test: no expectation takes this one for its own.
        return error as? Failure ?? Failure(.bug, "not a failure: \(error)")
    }
}

/// Runs `body` as a user without rights, where this process has them all: on a thread of its own,
/// whose user it is.
public func withoutRights(_ body: @escaping @Sendable () -> Void) {
    let thread = SluiceCore.Thread {
        if geteuid() == 0 {
            _ = setfsgid(65534)
            _ = setfsuid(65534)
        }
        body()
    }
    thread.join()
}

// Glibc's module leaves <sys/fsuid.h> out.
@_silgen_name("setfsuid") private func setfsuid(_ user: UInt32) -> Int32
@_silgen_name("setfsgid") private func setfsgid(_ group: UInt32) -> Int32
