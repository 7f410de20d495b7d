import Glibc
import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("What the system says about a folder")
struct FolderFailureTests {
    @Test(
        "becomes words and a hint",
        arguments: [
            (
                EACCES, "permission denied to write file:out/a",
                "Does the user that runs sluice own this folder?"
            ),
            (
                EPERM, "permission denied to write file:out/a",
                "Does the user that runs sluice own this folder?"
            ),
            (
                ENOSPC, "no space left in file:out/a",
                "Free some space, then run the same command again."
            ),
            (
                EDQUOT, "the disk quota is used up in file:out/a",
                "Free some space or raise the quota, then run the same command again."
            ),
            (
                EROFS, "file:out/a is on a read-only filesystem",
                "Mount it for writing, or choose another folder."
            ),
            (
                ENAMETOOLONG, "the name is too long for the filesystem of file:out/a",
                "Choose a folder with a shorter path, or on another filesystem."
            ),
            (
                EMFILE, "too many open files to write file:out/a",
                "Raise the limit with ulimit -n, or use fewer --lanes."
            ),
            (
                EIO, "the disk fails to write file:out/a", "The kernel's log says more; see dmesg."
            ),
            (ENODEV, "cannot write file:out/a: no such device", nil),
            (ESTALE, "cannot write file:out/a: stale file handle", nil),
        ] as [(Int32, String, String?)])
    func words(_ code: Int32, _ message: String, _ hint: String?) {
        let found = FolderFailure.make(code, .write, "file:out/a")
        #expect(found.message == message)
        #expect(found.hint == hint)
        #expect(found.kind == .failed)
        #expect(found.isTransient == (code == ESTALE))
        #expect(found.code == (hint == nil ? "errno \(code)" : nil))
    }

    @Test("arrives from a folder without permission")
    func permission() throws {
        let scratch = try ScratchFolder()
        let store = FolderStore(path: scratch.path("out"))
        try store.put([1], at: "data/1")
        #expect(chmod(scratch.path, 0o755) == 0)
        #expect(chmod(scratch.path("out/data"), 0o555) == 0)
        let write = try asNobody { () throws(Failure) in try store.put([1], at: "data/2") }
        #expect(
            write?.description == """
                permission denied to write \(store.place)/data/2
                hint: Does the user that runs sluice own this folder?
                """)
        let delete = try asNobody { () throws(Failure) in try store.delete("data/1") }
        #expect(delete?.message == "permission denied to delete \(store.place)/data/1")
        #expect(chmod(scratch.path("out/data/1"), 0) == 0)
        let read = try asNobody { () throws(Failure) in _ = try store.get("data/1") }
        #expect(read?.message == "permission denied to read \(store.place)/data/1")
        #expect(chmod(scratch.path("out/data"), 0) == 0)
        let list = try asNobody { () throws(Failure) in _ = try store.keys() }
        #expect(list?.message == "permission denied to list \(store.place)/data")
        #expect(chmod(scratch.path("out/data"), 0o755) == 0)
        let made = FolderStore(path: scratch.path("new"))
        let make = try asNobody { () throws(Failure) in try made.put([1], at: "data/2") }
        #expect(make?.message == "permission denied to write \(made.place)")
        #expect(try store.keys() == ["data/1"])
    }

    /// What `body` fails with where it may do no more than anybody: root is not bound by a folder's
    /// mode.
    private func asNobody(
        _ body: @escaping @Sendable () throws(Failure) -> Void
    ) throws -> Failure? {
        let found = Monitor<Failure?>(nil)
        withoutRights {
            let error = failure(of: body)
            found.change { $0 = error }
        }
        return found.read { $0 }
    }

    @Test(
        "arrives from a full disk, and nothing half written stays",
        .enabled(if: SmallDisk.isPossible, "only root may mount a small disk"),
        arguments: Publishing.allCases)
    func fullDisk(_ publishing: Publishing) throws {
        let disk = try SmallDisk()
        let store = FolderStore(path: disk.path("out"), publishing: publishing)
        try store.put(pattern(100_000), at: "data/1")
        let found = failure { () throws(Failure) in try store.put(pattern(2 << 20), at: "data/2") }
        #expect(
            found?.description == """
                no space left in \(store.place)/data/2
                hint: Free some space, then run the same command again.
                """)
        #expect(found?.kind.exitCode == 1)
        // What is replaced stays as it was.
        let replaced = failure { () throws(Failure) in
            try store.put(pattern(2 << 20), at: "data/1")
        }
        #expect(replaced?.message == "no space left in \(store.place)/data/1")
        #expect(try store.get("data/1") == pattern(100_000))
        #expect(ScratchFolder.names(inFolderAt: disk.path("out/data")) == ["1"])
        try store.put(pattern(500_000), at: "data/3")
        #expect(try store.keys() == ["data/1", "data/3"])
    }

    @Test(
        "arrives from a read-only filesystem",
        .enabled(if: SmallDisk.isPossible, "only root may mount a small disk"))
    func readOnly() throws {
        let disk = try SmallDisk()
        let store = FolderStore(path: disk.path("out"))
        try store.put([1], at: "a")
        try disk.makeReadOnly()
        let found = failure { () throws(Failure) in try store.put([1], at: "b") }
        #expect(
            found?.description == """
                \(store.place)/b is on a read-only filesystem
                hint: Mount it for writing, or choose another folder.
                """)
        let deleted = failure { () throws(Failure) in try store.delete("a") }
        #expect(deleted?.message == "\(store.place)/a is on a read-only filesystem")
        #expect(try store.get("a") == [1])
        #expect(try store.keys() == ["a"])
    }
}

/// A filesystem of one megabyte that goes away with its owner. Root may mount one; whoever else
/// runs the tests leaves these to continuous integration, which is root.
final class SmallDisk {
    static var isPossible: Bool { geteuid() == 0 }

    private let scratch: ScratchFolder

    init() throws {
        scratch = try ScratchFolder()
        guard mount("tmpfs", scratch.path, "tmpfs", 0, "size=1m") == 0 else {
            throw SystemError("cannot mount it read-only")
        }
    }

    deinit { umount2(scratch.path, Int32(MNT_DETACH)) }

    func path(_ name: String) -> String { scratch.path(name) }

    func makeReadOnly() throws {
        let flags = UInt(MS_REMOUNT | MS_RDONLY)
        guard mount("tmpfs", scratch.path, "tmpfs", flags, nil) == 0 else {
            throw SystemError("cannot mount it read-only")
        }
    }
}
