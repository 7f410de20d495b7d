internal import Glibc
internal import SluiceCore

/// Walks a folder in byte order of keys.
///
/// A folder's names come from the system in no order. As many of the smallest as fit into the limit
/// are kept and visited, then the folder is read again for those behind them: memory does not grow
/// with the folder, and a million names take some passes instead. A folder is compared as its name
/// with a slash, as it is within keys.
struct FolderListing {
    let store: FolderStore
    /// What names in the first folder begin with.
    let nameStart: String

    /// False when `visit` has ended it.
    func visit(
        _ folder: borrowing Descriptor, path: [String],
        _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        guard path.count < StoreKey.depthLimit else { return true }
        let place = store.name(path)
        guard let stream = FolderStream(folder.number) else {
            throw FolderFailure.make(errno, .list, place)
        }
        var names = SmallestNames(byteLimit: store.nameByteLimit)
        let start = Array(nameStart.utf8)
        repeat {
            names.beginPass()
            stream.rewind()
            while let entry = try stream.next(place) {
                guard entry.name.starts(with: start), StoreKey.isSegment(entry.name),
                    let isFolder = entry.isFolder(in: folder.number)
                else { continue }
                names.insert(entry.name, isFolder: isFolder)
            }
            for index in 0..<names.finishPass() {
                let (name, isFolder) = names.name(index)
                guard try visitEntry(name, isFolder, in: folder, path: path, visit) else {
                    return false
                }
            }
        } while names.hasMore
        return true
    }

    private func visitEntry(
        _ name: String, _ isFolder: Bool, in folder: borrowing Descriptor, path: [String],
        _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        let inner = path + [name]
        if isFolder {
            guard let next = Descriptor.folder(name, in: folder.number, follow: false) else {
                // It was removed or replaced since its name was read.
                if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return true }
                throw FolderFailure.make(errno, .list, store.name(inner))
            }
            let listing = FolderListing(store: store, nameStart: "")
            return try listing.visit(next, path: inner, visit)
        }
        var facts = stat()
        guard fstatat(folder.number, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return true }
            throw FolderFailure.make(errno, .list, store.name(inner))
        }
        guard facts.st_mode & S_IFMT == S_IFREG else { return true }
        let key = inner.joined(separator: "/")
        return try visit(StoredObject(key: key, byteCount: Int(facts.st_size)))
    }
}

/// The entries of one folder as the system gives them.
struct FolderStream: ~Copyable {
    struct Entry {
        /// Valid until the next entry.
        let name: UnsafeRawBufferPointer
        let type: UInt8

        /// Nothing for what is neither an object nor a folder.
        func isFolder(in folder: Int32) -> Bool? {
            switch Int(type) {
            case Int(DT_REG): return false
            case Int(DT_DIR): return true
            case Int(DT_UNKNOWN):
                var facts = stat()
                guard let text = name.assumingMemoryBound(to: CChar.self).baseAddress,
                    fstatat(folder, text, &facts, AT_SYMLINK_NOFOLLOW) == 0
                else { return nil }
                if facts.st_mode & S_IFMT == S_IFDIR { return true }
                return facts.st_mode & S_IFMT == S_IFREG ? false : nil
            default: return nil
            }
        }
    }

    private let stream: OpaquePointer

    /// Nothing, with `errno` set, when it cannot be read. The folder's own descriptor stays as it
    /// is.
    init?(_ folder: Int32) {
        let number = uninterrupted {
            openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard number >= 0 else { return nil }
        guard let stream = fdopendir(number) else {
            let code = errno
            _ = close(number)
            errno = code
            return nil
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    func rewind() { rewinddir(stream) }

    /// Nothing at the end.
    func next(_ place: String) throws(Failure) -> Entry? {
        errno = 0
        guard let entry = readdir(stream) else {
            if errno != 0 { throw FolderFailure.make(errno, .list, place) }
            return nil
        }
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let name = UnsafeRawPointer(entry) + offset
        let count = strlen(name.assumingMemoryBound(to: CChar.self))
        return Entry(
            name: UnsafeRawBufferPointer(start: name, count: count), type: entry.pointee.d_type)
    }
}
