internal import Glibc

/// An open file or folder, closed when its owner lets go of it.
struct Descriptor: ~Copyable {
    let number: Int32

    deinit { _ = close(number) }

    /// Nothing, with `errno` set, when it cannot be opened.
    ///
    /// - Parameter folder: what a relative path begins at; the current folder where nothing is
    ///   said.
    init?(path: String, in folder: Int32 = AT_FDCWD, _ flags: Int32, mode: mode_t = 0) {
        let number = uninterrupted { openat(folder, path, flags | O_CLOEXEC, mode) }
        guard number >= 0 else { return nil }
        self.number = number
    }

    /// A folder, to look names up in and to sync.
    static func folder(_ path: String, in folder: Int32 = AT_FDCWD, follow: Bool) -> Descriptor? {
        Descriptor(path: path, in: folder, O_RDONLY | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW))
    }

    /// Makes a folder's entries durable. Filesystems that cannot sync a folder keep them in order
    /// themselves.
    func syncFolder() -> Bool {
        uninterrupted { fsync(number) } == 0 || errno == EINVAL || errno == ENOTSUP
    }
}

/// Repeats a system call that a signal interrupted.
func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
