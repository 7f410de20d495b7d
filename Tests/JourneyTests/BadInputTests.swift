import Glibc
import Testing

/// What a user can get wrong: each has its message, its exit code, and leaves nothing behind.
@Suite struct BadInputTests {
    /// A folder with a small database `a.db`.
    private func workspace() throws -> Workspace {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES(1,'x'),(2,'y');
            CREATE TABLE orders(id INTEGER PRIMARY KEY)
            """)
        return place
    }

    /// Runs `sluice run` and expects a failure that leaves the folder's files as they were.
    private func expectRefusal(
        _ place: Workspace, _ code: Int32, _ errors: String, source: String = "sqlite:a.db",
        store: String = "file:out", target: String = "sqlite:b.db", leavesStore: Bool = false,
        _ more: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try place.names(".")
        let result = try place.run(
            ["run", "--source", source, "--store", store, "--target", target, "--quiet"] + more)
        #expect(result.errorText == errors, sourceLocation: sourceLocation)
        #expect(result.code == code, sourceLocation: sourceLocation)
        #expect(result.text == "", sourceLocation: sourceLocation)
        // A dataset that is begun can be gone on with when what was wrong is right.
        let after = try place.names(".").filter { !leavesStore || !$0.hasPrefix("out/") }
        #expect(after == before, sourceLocation: sourceLocation)
    }

    // MARK: Sources

    @Test func aMissingSource() throws {
        let place = try workspace()
        try expectRefusal(
            place, 2,
            """
            sluice: there is no database file no.db
            hint: Check the path; everything behind sqlite: is taken as it is.

            """, source: "sqlite:no.db")
    }

    @Test func aSourceThatIsNoDatabase() throws {
        let place = try workspace()
        try place.write("hello, this is a letter and not a database\n", to: "letter.db")
        try expectRefusal(
            place, 2,
            """
            sluice: letter.db is not a SQLite database, or it is encrypted [SQLITE_NOTADB]
            hint: Check the path.

            """, source: "sqlite:letter.db")
    }

    @Test func aSourceThatIsAFolder() throws {
        let place = try workspace()
        mkdir(place["folder"], 0o755)
        try expectRefusal(
            place, 2,
            """
            sluice: folder is a folder
            hint: Give the path of a SQLite database file.

            """, source: "sqlite:folder")
    }

    @Test func aLockedSource() throws {
        let place = try workspace()
        let holder = try Program.tool("sqlite3").start(
            [place["a.db"], "BEGIN EXCLUSIVE;", ".shell touch '\(place["held"])'; sleep 60"])
        defer { holder.signal(SIGKILL) }
        while !place.exists("held") { usleep(10_000) }
        try expectRefusal(
            place, 5,
            """
            sluice: a.db is locked by another connection [SQLITE_BUSY]
            hint: Wait until the program that holds it is done, or stop it.

            """)
    }

    @Test func aTruncatedSource() throws {
        let place = try workspace()
        try place.write(Array(place.read("a.db").prefix(6000)), to: "short.db")
        try expectRefusal(
            place, 1,
            """
            sluice: short.db is damaged: database disk image is malformed [SQLITE_CORRUPT]
            hint: Look at it with sqlite3 and PRAGMA integrity_check; .recover saves what can be read.

            """, source: "sqlite:short.db")
    }

    @Test func aSourceWithADamagedTable() throws {
        let place = try workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE big(a INTEGER PRIMARY KEY, b);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<200)
            INSERT INTO big SELECT i, printf('%500d', i) FROM n
            """)
        var bytes = try place.read("a.db")
        for offset in 8 * 4096..<12 * 4096 { bytes[offset] = 0xA5 }
        try place.write(bytes, to: "a.db")
        try expectRefusal(
            place, 1,
            """
            sluice: a.db is damaged: database disk image is malformed [SQLITE_CORRUPT]
              while planning big
            hint: Look at it with sqlite3 and PRAGMA integrity_check; .recover saves what can be read.

            """, leavesStore: true)
        #expect(try place.run("status", "--store", "file:out").code == 4)
    }

    @Test func anEmptyFileIsAnEmptyDatabase() throws {
        let place = try workspace()
        try place.write("", to: "empty.db")
        // Often, for a lane that starts late finds everything done.
        for round in 0..<20 {
            let result = try place.run(
                "run", "--source", "sqlite:empty.db", "--store", "file:out\(round)", "--target",
                "sqlite:b.db", "--quiet", "--lanes", "4", "--on-existing",
                round == 0 ? "refuse" : "replace")
            #expect(result.code == 0, "\(result.errorText)")
        }
        try place.expectEqual("empty.db", "b.db")
    }

    // MARK: Targets

    @Test func aTargetWithATableOfTheSameName() throws {
        let place = try workspace()
        try place.sql("b.db", "CREATE TABLE t(z)")
        let target = try place.read("b.db")
        try expectRefusal(
            place, 6,
            """
            sluice: table t exists already
            hint: The target was not touched. Empty it, or choose what happens with --on-existing.

            """, leavesStore: true)
        #expect(try place.read("b.db") == target)
    }

    @Test func aTargetWithRows() throws {
        let place = try workspace()
        try place.sql("b.db", "CREATE TABLE t(z); INSERT INTO t VALUES(1); CREATE TABLE orders(z)")
        let target = try place.read("b.db")
        try expectRefusal(
            place, 6,
            """
            warning: table orders exists already
            sluice: table t exists already and has rows, and 1 more
            hint: The target was not touched. Empty it, or choose what happens with --on-existing.

            """, leavesStore: true)
        #expect(try place.read("b.db") == target)
    }

    @Test(arguments: ["refuse", "use", "truncate", "replace"])
    func aTargetThatIsTheSource(_ onExisting: String) throws {
        let place = try workspace()
        symlink(place["a.db"], place["link.db"])
        link(place["a.db"], place["hard.db"])
        let source = try place.read("a.db")
        for target in ["a.db", "./a.db", "link.db", "hard.db", place["a.db"]] {
            try expectRefusal(
                place, 6,
                """
                sluice: source and target are the same database, sqlite:\(target)
                hint: Give the target another path.

                """, target: "sqlite:\(target)", "--on-existing", onExisting)
        }
        #expect(try place.read("a.db") == source)
    }

    @Test func aTargetWithoutAFolder() throws {
        let place = try workspace()
        try expectRefusal(
            place, 2,
            """
            sluice: there is no folder gone for the database gone/b.db
            hint: Make the folder, or check the path.

            """, target: "sqlite:gone/b.db", leavesStore: true)
    }

    // MARK: Options

    @Test(arguments: [
        ["--tables", "nope"], ["--exclude", "nope"], ["--where", "nope=a > 1"],
    ])
    func aTableThatTheSourceDoesNotHave(_ option: [String]) throws {
        try expectRefusal(
            try workspace(), 2,
            """
            sluice: \(option[0]) names 'nope', and no table of sqlite:a.db is called that
            hint: sluice plan --source lists the tables.

            """, option[0], option[1])
    }

    @Test func aMistypedTableIsSuggested() throws {
        try expectRefusal(
            try workspace(), 2,
            """
            sluice: --tables names 'odrers', and no table of sqlite:a.db is called that
            hint: Did you mean 'orders'?

            """, "--tables", "t,odrers")
    }

    @Test(arguments: [
        ("zzz = 1", "no such column: zzz [SQLITE_ERROR]"),
        ("a =", "near \")\": syntax error [SQLITE_ERROR]"),
        ("1); DROP TABLE t; --", "it is not one expression"),
        ("1) OR (1", "it is not one expression"), ("1, 2", "row value misused [SQLITE_ERROR]"),
    ])
    func aFilterThatIsNotOne(_ filter: String, _ why: String) throws {
        let place = try workspace()
        let errors = """
            sluice: the filter of table t is not understood: \(why)
              while planning t
            hint: Correct --where t=….

            """
        try place.expect(
            2, errors, "export", "--source", "sqlite:a.db", "--store", "file:out", "--where",
            "t=\(filter)")
        // A dataset with the mistake in it would be in the way of the corrected command.
        #expect(try place.names("out") == [])
        try place.succeed(
            "export", "--source", "sqlite:a.db", "--store", "file:out", "--where", "t=a = 1")
    }

    @Test func typingErrorsAreSuggested() throws {
        let place = try workspace()
        try place.expect(
            2, "sluice: unknown option '--stor'\nhint: Did you mean '--store'?\n", "export",
            "--source", "sqlite:a.db", "--stor", "file:out")
        try place.expect(
            2, "sluice: unknown command 'exprot'\nhint: Did you mean 'export'?\n", "exprot")
        try place.expect(
            2,
            """
            sluice: invalid value 'zstd' for '--codec': expected zstandard, deflate, snappy or none

            """, "export", "--source", "sqlite:a.db", "--store", "file:out", "--codec", "zstd")
        #expect(try place.entries == ["a.db"])
    }

    @Test func anUnknownKeyOfAJobFileIsNamedWithItsPlace() throws {
        let place = try workspace()
        try place.write(
            "source: sqlite:a.db\nstore: file:out\nshard-byte: 3MiB\n", to: "job.yaml")
        try place.expect(
            2,
            """
            sluice: unknown key 'shard-byte' in job.yaml, line 3, column 1
            hint: Did you mean 'shard-bytes'?

            """, "export", "--config", "job.yaml")
        try place.write("source: sqlite:a.db\n\tstore: x\n", to: "job.yaml")
        let result = try place.run("export", "--config", "job.yaml")
        #expect(result.code == 2)
        #expect(result.errorText.contains(" in job.yaml, line 2, column "))
        #expect(try place.entries == ["a.db", "job.yaml"])
    }

    // MARK: Datasets that are there

    @Test func aDatasetOfAnotherSource() throws {
        let place = try workspace()
        try place.succeed("export", "--source", "sqlite:a.db", "--store", "file:out")
        let store = try place.listing("out")
        try place.write(place.read("a.db"), to: "c.db")
        try expectRefusal(
            place, 6,
            """
            sluice: file:out holds a dataset of another source
            hint: Export into another prefix; sluice inspect shows what is there.

            """, source: "sqlite:c.db")
        #expect(try place.listing("out") == store)
    }

    @Test(arguments: [
        (["--codec", "snappy"], "--codec is snappy here and zstandard in the dataset"),
        (["--tables", "t"], "--tables is t here and not given in the dataset"),
        (["--shard-bytes", "1MiB"], "--shard-bytes is 1048576 here and 33554432 in the dataset"),
        (["--where", "t=a=1"], "--where is t=a=1 here and not given in the dataset"),
    ])
    func otherOptionsThanTheDatasets(_ option: [String], _ difference: String) throws {
        let place = try workspace()
        try place.succeed("export", "--source", "sqlite:a.db", "--store", "file:out")
        let store = try place.listing("out")
        try place.expect(
            2,
            """
            sluice: the dataset in file:out was begun with other options: \(difference)
            hint: Give the same options, or export into another prefix.

            """, "export", "--source", "sqlite:a.db", "--store", "file:out", option[0], option[1])
        #expect(try place.listing("out") == store)
    }

    @Test(arguments: [["load", "--target", "sqlite:b.db"], ["status"], ["inspect"]])
    func aStoreWithoutADataset(_ command: [String]) throws {
        let place = try workspace()
        let result = try place.run(command + ["--store", "file:none"])
        #expect(
            result.errorText == """
                sluice: there is no dataset in file:none
                hint: Is the store's URL right? sluice export makes a dataset.

                """)
        #expect(result.code == 1)
        #expect(try place.entries == ["a.db"])
    }

    // MARK: Disks and permissions

    @Test func aStoreThatIsAFile() throws {
        let place = try workspace()
        try place.write("x", to: "file")
        try expectRefusal(
            place, 1,
            """
            sluice: file:file is not a folder
            hint: A store needs a folder of its own; choose another path.

            """, store: "file:file")
    }

    @Test func aReadOnlyDisk() throws {
        let place = try workspace()
        let disk = try Disk(in: place, "disk", options: "size=1m,ro")
        try expectRefusal(
            place, 1,
            """
            sluice: file:disk/out is on a read-only filesystem
            hint: Mount it for writing, or choose another folder.

            """, store: "file:disk/out")
        try expectRefusal(
            place, 1,
            """
            sluice: disk/b.db cannot be made in the folder disk: Read-only file system [SQLITE_CANTOPEN]
              while preparing sqlite:disk/b.db
            hint: Give a path in a folder that can be written.

            """, target: "sqlite:disk/b.db", leavesStore: true)
        try disk.unmount()
    }

    @Test func aSourceThatNobodyMayRead() throws {
        let place = try workspace()
        chmod(place["a.db"], 0)
        chmod(place.path, 0o777)
        let user = try Program(path: Program.tool("setpriv").path, folder: place.path)
        let result = try user.run([
            "--reuid=65534", "--regid=65534", "--clear-groups", place.sluice.path, "export",
            "--source", "sqlite:a.db", "--store", "file:out", "--quiet",
        ])
        #expect(
            result.errorText == """
                sluice: no permission to open a.db [SQLITE_CANTOPEN]
                hint: Run as a user who may read and write the file and its folder.

                """)
        #expect(result.code == 1)
        #expect(try place.names(".") == ["a.db"])
    }

    @Test func aStoreFolderWithoutPermission() throws {
        let place = try workspace()
        chmod(place["a.db"], 0o644)
        chmod(place.path, 0o755)
        mkdir(place["locked"], 0o500)
        let user = try Program(path: Program.tool("setpriv").path, folder: place.path)
        let result = try user.run([
            "--reuid=65534", "--regid=65534", "--clear-groups", place.sluice.path, "export",
            "--source", "sqlite:a.db", "--store", "file:locked", "--quiet",
        ])
        #expect(
            result.errorText == """
                sluice: permission denied to read file:locked
                hint: Does the user that runs sluice own this folder?

                """)
        #expect(result.code == 1)
        #expect(try place.names("locked") == [])
    }

    /// Six megabytes that do not compress.
    private func makeFat(_ place: Workspace) throws {
        try place.sql(
            "fat.db",
            """
            CREATE TABLE f(a INTEGER PRIMARY KEY, b);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<60)
            INSERT INTO f SELECT i, randomblob(100000) FROM n
            """)
    }

    @Test func aFullDiskUnderTheStore() throws {
        let place = try workspace()
        try makeFat(place)
        let disk = try Disk(in: place, "disk", options: "size=3m")
        let command = [
            "run", "--source", "sqlite:fat.db", "--store", "file:disk/out", "--target",
            "sqlite:b.db", "--shard-bytes", "256KiB", "--quiet",
        ]
        let result = try place.run(command)
        #expect(result.code == 1)
        #expect(result.errorText.hasPrefix("sluice: no space left in file:disk/out/"))
        #expect(
            result.errorText.hasSuffix(
                "\nhint: Free some space, then run the same command again.\n"))
        // No object is there in part: what is there can be gone on with.
        #expect(try place.run("status", "--store", "file:disk/out").code == 4)
        try disk.resize("32m")
        let again = try place.run(command)
        #expect(again.code == 0, "\(again.errorText)")
        try place.expectEqual("fat.db", "b.db")
        try disk.unmount()
    }

    @Test func aFullDiskUnderTheTarget() throws {
        let place = try workspace()
        try makeFat(place)
        let disk = try Disk(in: place, "disk", options: "size=3m")
        let command = [
            "run", "--source", "sqlite:fat.db", "--store", "file:out", "--target",
            "sqlite:disk/b.db", "--shard-bytes", "256KiB", "--quiet",
        ]
        let result = try place.run(command)
        #expect(result.code == 1)
        #expect(result.errorText.hasPrefix("sluice: no space left for disk/b.db [SQLITE_FULL]\n"))
        #expect(
            result.errorText.hasSuffix(
                "\nhint: Make room where the file is, then run the same command again.\n"))
        try disk.resize("32m")
        let again = try place.run(command)
        #expect(again.code == 0, "\(again.errorText)")
        try place.expectEqual("fat.db", "disk/b.db")
        try disk.unmount()
    }
}

/// A small disk in a test's folder.
final class Disk {
    private let path: String
    private var isMounted = true

    init(in place: Workspace, _ name: String, options: String) throws {
        path = place[name]
        mkdir(path, 0o755)
        let result = try Program.tool("mount").run(["-t", "tmpfs", "-o", options, "tmpfs", path])
        guard result.code == 0 else {
            throw Program.Problem("this test needs root to mount a disk: \(result.errorText)")
        }
    }

    deinit { try? unmount() }

    func resize(_ size: String) throws {
        let result = try Program.tool("mount").run(["-o", "remount,size=\(size)", path])
        guard result.code == 0 else { throw Program.Problem(result.errorText) }
    }

    func unmount() throws {
        guard isMounted else { return }
        isMounted = false
        let result = try Program.tool("umount").run([path])
        guard result.code == 0 else { throw Program.Problem(result.errorText) }
    }
}
