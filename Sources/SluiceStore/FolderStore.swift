internal import Glibc
public import SluiceCore
internal import Synchronization

/// A folder as a store: an object is a file, a key is its path below the folder.
///
/// - The folder and those below it are made by the first put that needs them and, but for the
///   store's own folder, removed by the delete that empties them; reading a folder that is not
///   there finds nothing.
/// - An object appears whole, under its name, after its bytes are on the disk; then its folder is
///   synced. Several processes and machines may write the same folder.
/// - Below the store's folder no symbolic link is followed, and nothing but regular files is an
///   object.
/// - What a killed process may leave behind begins with `.sluice-`. The first put into a folder
///   removes what is older than a day by the filesystem's own clock, so nobody's live draft,
///   wherever that process runs.
public final class FolderStore: Store {
    public let place: String
    public let facts = StoreFacts(hasConditionalPut: true, canList: true)
    let root: String
    /// How many bytes of names a listing holds per level of folders.
    let nameByteLimit: Int

    private let publishing: Atomic<Int>
    /// Folders that this process has swept and whose way from the root is durable. Bounded:
    /// forgetting costs a little work, no more.
    private let settled = Mutex<Set<[String]>>([])
    private static let settledLimit = 4096
    /// How often a put makes its folder again when others keep removing it while it is empty.
    private static let attemptLimit = 100

    /// - Parameter path: absolute, or from the current folder; a symbolic link here is followed.
    public convenience init(path: String) {
        let hasProcess = access("/proc/self/fd", X_OK) == 0
        self.init(path: path, publishing: hasProcess ? .anonymous : .named)
    }

    init(path: String, publishing: Publishing, nameByteLimit: Int = 4 << 20) {
        root = path
        place = "file:\(path)"
        self.publishing = Atomic(publishing.rawValue)
        self.nameByteLimit = nameByteLimit
    }

    public func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        _ = try store(bytes, at: StoreKey(key), replacing: true)
    }

    public func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        try store(bytes, at: StoreKey(key), replacing: false)
    }

    public func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        let key = try StoreKey(key)
        buffer.removeAll()
        guard let folder = try openFolder(key.folders, to: .read) else { return false }
        // Without O_NONBLOCK a pipe of that name would wait for a writer.
        guard
            let file = Descriptor(
                path: key.name, in: folder.number, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        else {
            switch errno {
            case ENOENT: return false
            case ELOOP, ENXIO: throw FolderFailure.notAnObject(name(key.text))
            default: throw FolderFailure.make(errno, .read, name(key.text))
            }
        }
        return try read(file, key, into: &buffer, byteLimit: byteLimit)
    }

    public func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        // A folder is near, and an object small.
        guard try get(key, into: &buffer, byteLimit: .max) else { return false }
        guard range.upperBound <= buffer.count else {
            throw StoreFailure.wholeInsteadOfPart(name(key))
        }
        buffer.removeFirst(range.lowerBound)
        buffer.truncate(to: range.count)
        return true
    }

    private func read(
        _ file: borrowing Descriptor, _ key: StoreKey, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        let place = name(key.text)
        let number = file.number
        var facts = stat()
        guard fstat(number, &facts) == 0 else { throw FolderFailure.make(errno, .read, place) }
        if facts.st_mode & S_IFMT == S_IFDIR { return false }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw FolderFailure.notAnObject(place) }
        let size = Int(facts.st_size)
        guard size <= byteLimit else { throw StoreFailure.tooLong(place, size, byteLimit) }
        // Exactly as much: growing would double what a slightly smaller object left.
        if buffer.capacity < size { buffer = ByteBuffer(capacity: size) }
        while buffer.count < size {
            let before = buffer.count
            try buffer.append(upTo: min(size - before, 1 << 30)) { room throws(Failure) in
                let count = uninterrupted { Glibc.read(number, room.baseAddress, room.count) }
                guard count >= 0 else { throw FolderFailure.make(errno, .read, place) }
                return count
            }
            guard buffer.count > before else {
                throw Failure(
                    .failed, "\(place) became shorter while it was read",
                    hint: "Does another program write into this folder?", isTransient: true)
            }
        }
        return true
    }

    public func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        let prefix = try StorePrefix(prefix)
        guard let folder = try openFolder(prefix.folders, to: .list) else { return }
        let listing = FolderListing(store: self, nameStart: prefix.nameStart)
        _ = try listing.visit(folder, path: prefix.folders, visit)
    }

    public func delete(_ key: String) throws(Failure) {
        let key = try StoreKey(key)
        guard let folder = try openFolder(key.folders, to: .delete) else { return }
        guard unlinkat(folder.number, key.name, 0) == 0 || [ENOENT, EISDIR].contains(errno)
        else { throw FolderFailure.make(errno, .delete, name(key.text)) }
        try prune(key.folders)
    }

    /// How messages name an object or folder.
    func name(_ key: String) -> String { "\(place)/\(key)" }

    func name(_ folders: [String]) -> String {
        folders.isEmpty ? place : name(folders.joined(separator: "/"))
    }
}

// MARK: Putting

extension FolderStore {
    private func store(
        _ bytes: UnsafeRawBufferPointer, at key: StoreKey, replacing: Bool
    ) throws(Failure) -> Bool {
        for _ in 0..<FolderStore.attemptLimit {
            if let isStored = try attempt(bytes, at: key, replacing: replacing) { return isStored }
        }
        throw Failure(
            .failed, "\(name(key.folders)) is removed again and again while it is written",
            hint: "Does another program clean up in this folder?", isTransient: true)
    }

    /// Whether the object was stored; nothing when it has to be tried again.
    private func attempt(
        _ bytes: UnsafeRawBufferPointer, at key: StoreKey, replacing: Bool
    ) throws(Failure) -> Bool? {
        let isSettled = settled.withLock { $0.contains(key.folders) }
        guard let folder = try makeFolder(key.folders, isSettled: isSettled) else { return nil }
        let way = Publishing(rawValue: publishing.load(ordering: .relaxed)) ?? .named
        guard var draft = FolderDraft(in: folder, publishing: way) else {
            let code = errno
            if code == ENOENT || code == EEXIST { return nil }
            guard way == .anonymous else {
                throw FolderFailure.make(code, .write, name(key.text))
            }
            return try fallBack(from: way, because: code, at: key)
        }
        let code = draft.write(bytes)
        guard code == 0 else { throw FolderFailure.make(code, .write, name(key.text)) }
        if !isSettled { settle(key.folders, draft.folder, changeSeconds: draft.changeSeconds) }
        switch draft.publish(as: key.name, replacing: replacing) {
        case .stored: return true
        case .folderIsGone: return nil
        case .taken:
            try checkTaken(key, in: draft.folder.number)
            return false
        case .failed(EISDIR), .failed(EEXIST), .failed(ENOTEMPTY):
            throw FolderFailure.notAnObject(name(key.text))
        case .failed(let code): return try fallBack(from: way, because: code, at: key)
        }
    }

    /// Some filesystems lack unnamed files, hard links or a rename that does not replace.
    private func fallBack(
        from way: Publishing, because code: Int32, at key: StoreKey
    ) throws(Failure) -> Bool? {
        let isMissing = [EPERM, EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EISDIR, EMLINK].contains(code)
        guard isMissing, let next = Publishing(rawValue: way.rawValue + 1) else {
            throw FolderFailure.make(code, .write, name(key.text))
        }
        publishing.store(next.rawValue, ordering: .relaxed)
        return nil
    }

    /// A folder or a link in an object's place is nobody's object.
    private func checkTaken(_ key: StoreKey, in folder: Int32) throws(Failure) {
        var facts = stat()
        guard fstatat(folder, key.name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw FolderFailure.notAnObject(name(key.text))
        }
    }

    /// Removes what killed processes left in the folder, the first time this one writes there.
    private func settle(_ folders: [String], _ folder: borrowing Descriptor, changeSeconds: Int) {
        FolderSweep.removeLeftovers(in: folder.number, now: changeSeconds)
        settled.withLock { settled in
            if settled.count >= FolderStore.settledLimit { settled.removeAll() }
            settled.insert(folders)
        }
    }
}

// MARK: Folders

extension FolderStore {
    /// Nothing when the folder is not there, so that it holds no objects.
    func openFolder(
        _ folders: [String], to verb: FolderFailure.Verb
    ) throws(Failure) -> Descriptor? {
        guard var folder = Descriptor.folder(root, follow: true) else {
            switch errno {
            case ENOENT: return nil
            case ENOTDIR: throw FolderFailure.notAFolder(place)
            default: throw FolderFailure.make(errno, verb, place)
            }
        }
        for (index, segment) in folders.enumerated() {
            guard let next = Descriptor.folder(segment, in: folder.number, follow: false) else {
                // A link to a folder gives ENOTDIR as well; it is not followed.
                if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
                throw FolderFailure.make(errno, verb, name(Array(folders[...index])))
            }
            folder = next
        }
        return folder
    }

    /// Opens the folder, making what is missing; nothing when somebody removed a part of it
    /// meanwhile.
    ///
    /// - Parameter isSettled: whether the way there is known to be durable. Until then each folder
    ///   is synced, also one that somebody else has just made.
    private func makeFolder(_ folders: [String], isSettled: Bool) throws(Failure) -> Descriptor? {
        guard var folder = try makeRoot() else { return nil }
        for (index, segment) in folders.enumerated() {
            let place = name(Array(folders[...index]))
            let isNew = mkdirat(folder.number, segment, 0o777) == 0
            guard isNew || errno == EEXIST else {
                if errno == ENOENT { return nil }
                throw FolderFailure.make(errno, .write, place)
            }
            guard let next = Descriptor.folder(segment, in: folder.number, follow: false) else {
                switch errno {
                case ENOENT: return nil
                case ENOTDIR, ELOOP: throw FolderFailure.notAFolder(place)
                default: throw FolderFailure.make(errno, .write, place)
                }
            }
            guard isSettled && !isNew || folder.syncFolder() else {
                throw FolderFailure.make(errno, .write, place)
            }
            folder = next
        }
        return folder
    }

    private func makeRoot() throws(Failure) -> Descriptor? {
        if let folder = Descriptor.folder(root, follow: true) { return folder }
        if errno == ENOENT, !root.isEmpty {
            try makeParents(root)
            if let folder = Descriptor.folder(root, follow: true) { return folder }
        }
        guard errno != ENOTDIR else { throw FolderFailure.notAFolder(place) }
        throw FolderFailure.make(errno, .write, place)
    }

    /// Makes the folder of this path and those above it, each durable in the one above.
    private func makeParents(_ path: String) throws(Failure) {
        let parent = FolderStore.parent(of: path)
        if mkdir(path, 0o777) != 0 {
            guard errno == ENOENT, parent != path else {
                if errno == EEXIST { return }
                throw FolderFailure.make(errno, .write, "file:\(path)")
            }
            try makeParents(parent)
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw FolderFailure.make(errno, .write, "file:\(path)")
            }
        }
        guard let folder = Descriptor.folder(parent, follow: true), folder.syncFolder() else {
            throw FolderFailure.make(errno, .write, "file:\(parent)")
        }
    }

    static func parent(of path: String) -> String {
        var bytes = Array(path.utf8)
        let slash = UInt8(ascii: "/")
        while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
        while let last = bytes.last, last != slash { bytes.removeLast() }
        while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
        return bytes.isEmpty ? "." : String(decoding: bytes, as: UTF8.self)
    }

    /// Removes folders that became empty, innermost first; never the store's own.
    private func prune(_ folders: [String]) throws(Failure) {
        var folders = folders
        while let name = folders.popLast() {
            guard let parent = try openFolder(folders, to: .delete) else { return }
            if unlinkat(parent.number, name, AT_REMOVEDIR) != 0, errno != ENOENT {
                guard errno == ENOTEMPTY || errno == EEXIST,
                    FolderSweep.removeOldLeftovers(ofOtherwiseEmpty: name, in: parent.number),
                    unlinkat(parent.number, name, AT_REMOVEDIR) == 0
                else { return }
            }
            let gone = folders + [name]
            settled.withLock { _ = $0.remove(gone) }
        }
    }
}
