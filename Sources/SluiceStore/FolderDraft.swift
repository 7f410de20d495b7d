internal import Glibc
internal import SluiceCore

/// How a filesystem lets an object appear whole. Found out by trying; the later ways work on more
/// filesystems.
enum Publishing: Int, CaseIterable, Comparable {
    /// A file without a name that is linked when it is complete: a crash leaves nothing behind.
    case anonymous
    /// A file under a hidden name, linked or renamed when it is complete.
    case named
    /// The same where hard links are missing too.
    case renamed

    static func < (left: Publishing, right: Publishing) -> Bool { left.rawValue < right.rawValue }
}

/// An object before it is complete. It becomes visible by `publish`; otherwise nothing of it stays.
struct FolderDraft: ~Copyable {
    enum Outcome {
        case stored
        case taken
        /// Somebody removed the empty folder meanwhile.
        case folderIsGone
        case failed(Int32)
    }

    /// What the hidden names begin with. Keys never begin with a dot, so no listing shows them.
    static let hiddenStart = ".sluice-"

    let folder: Descriptor
    private let file: Descriptor
    private let publishing: Publishing
    private var hiddenName: String?

    deinit {
        if let hiddenName { unlinkat(folder.number, hiddenName, 0) }
    }

    /// Nothing, with `errno` set, when the folder takes no file in this way.
    init?(in folder: consuming Descriptor, publishing: Publishing) {
        let name = publishing == .anonymous ? nil : FolderDraft.newHiddenName()
        // The C header's O_TMPFILE, which Swift does not see.
        let flags = name == nil ? 0o20_000_000 | O_DIRECTORY : O_CREAT | O_EXCL | O_NOFOLLOW
        guard
            let file = Descriptor(
                path: name ?? ".", in: folder.number, flags | O_WRONLY, mode: 0o666)
        else { return nil }
        self.folder = folder
        self.file = file
        self.publishing = publishing
        hiddenName = name
    }

    private static func newHiddenName() -> String {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return hiddenStart + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// Writes all bytes and makes them durable; zero, or `errno`.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var rest = bytes
        while !rest.isEmpty {
            let written = uninterrupted {
                Glibc.write(file.number, rest.baseAddress, min(rest.count, 1 << 30))
            }
            guard written > 0 else { return written == 0 ? EIO : errno }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
        return uninterrupted { fsync(file.number) } == 0 ? 0 : errno
    }

    /// Seconds since 1970 by the clock of the filesystem, which may be another machine's.
    var changeSeconds: Int {
        var facts = stat()
        return fstat(file.number, &facts) == 0 ? Int(facts.st_mtim.tv_sec) : 0
    }

    /// Gives the object its name, durably.
    mutating func publish(as name: String, replacing: Bool) -> Outcome {
        let code = replacing ? replace(name) : create(name)
        switch code {
        case 0: return folder.syncFolder() ? .stored : .failed(errno)
        // Whoever goes on with the other's object relies on it: it has to be durable for both.
        case EEXIST: return folder.syncFolder() ? .taken : .failed(errno)
        case ENOENT: return .folderIsGone
        default: return .failed(code)
        }
    }

    /// Zero, or `errno`.
    private mutating func create(_ name: String) -> Int32 {
        switch publishing {
        case .anonymous:
            return link(as: name)
        case .named:
            guard let hiddenName else { return EINVAL }
            if linkat(folder.number, hiddenName, folder.number, name, 0) == 0 { return 0 }
            let code = errno
            // A network filesystem may repeat a request that has already succeeded.
            var facts = stat()
            let isLinked = fstat(file.number, &facts) == 0 && facts.st_nlink == 2
            return code == EEXIST && isLinked ? 0 : code
        case .renamed:
            guard let hiddenName else { return EINVAL }
            guard renameWithoutReplacing(hiddenName, name, in: folder.number) == 0 else {
                return errno
            }
            self.hiddenName = nil
            return 0
        }
    }

    /// Zero, or `errno`.
    private mutating func replace(_ name: String) -> Int32 {
        if hiddenName == nil {
            let code = link(as: name)
            guard code == EEXIST else { return code }
            let newName = FolderDraft.newHiddenName()
            let hiddenCode = link(as: newName)
            guard hiddenCode == 0 else { return hiddenCode }
            hiddenName = newName
        }
        guard let hiddenName else { return EINVAL }
        guard renameat(folder.number, hiddenName, folder.number, name) == 0 else { return errno }
        self.hiddenName = nil
        return 0
    }

    private func link(as name: String) -> Int32 {
        let path = "/proc/self/fd/\(file.number)"
        let code = linkat(AT_FDCWD, path, folder.number, name, AT_SYMLINK_FOLLOW)
        return code == 0 ? 0 : errno
    }
}

/// The C library's `renameat2` with RENAME_NOREPLACE, which its headers hide from Swift.
private func renameWithoutReplacing(_ old: String, _ new: String, in folder: Int32) -> Int32 {
    typealias Function =
        @convention(c) (
            Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
        ) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else {
        errno = ENOSYS
        return -1
    }
    return unsafeBitCast(symbol, to: Function.self)(folder, old, folder, new, 1)
}
