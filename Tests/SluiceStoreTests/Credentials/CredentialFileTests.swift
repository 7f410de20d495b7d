import Glibc
import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("Files and commands with credentials")
struct CredentialFileTests {
    private func ini(_ text: String) throws(Failure) -> INIFile {
        try INIFile(text, path: "/x/.aws/config")
    }

    @Test("are looked for below the account's home where no variable names it")
    func accountFolder() throws {
        let folder = try Shell.output(of: "eval echo ~$(id -un)")
        #expect(CredentialSurroundings.accountFolder().map { "\($0)\n" } == folder)
    }

    @Test("have sections and settings as the AWS tools write them")
    func sections() throws {
        let file = try ini(
            """
            # comment
            [default]
            region = eu-central-1
            s3 =
              max_concurrent_requests = 20
              neither this
            ; comment
            \tnested = 1
            [profile  one two ]\r
            Aws_Access_Key_Id=AKIA=\r
            [profile "quoted"]
            region=a
            [default]
            output =
            """)
        #expect(file["default"] == ["region": "eu-central-1", "s3": "", "output": ""])
        #expect(file.profile("default") == file["default"])
        #expect(file.profile("one two") == ["aws_access_key_id": "AKIA="])
        #expect(file.profile("quoted") == ["region": "a"])
        #expect(file.profile("one") == nil)
        #expect(file["absent"] == nil)
        #expect(try ini("[default]\na=1\n[profile default]\na=2").profile("default") == ["a": "2"])
    }

    @Test(
        "are refused by line where they are malformed, without its text",
        arguments: [
            ("[default", "/x/.aws/config:1 has a '[' without its ']'"),
            ("\n[a]\nsecret", "/x/.aws/config:3 has neither a section nor a setting"),
            ("secret=1", "/x/.aws/config:1 has a setting before the first section"),
        ])
    func malformed(_ text: String, _ message: String) {
        let found = failure { () throws(Failure) in try ini(text) }
        #expect(found?.description == "\(message)\nhint: Correct this line.")
        #expect(found?.kind == .usage)
    }

    @Test("are read whole, or said not to be there")
    func reading() throws {
        let scratch = try ScratchFolder()
        try scratch.write(String(repeating: "x", count: 10_000), to: "long")
        #expect(try CredentialFile.text(scratch.path("long"))?.count == 10_000)
        #expect(try CredentialFile.text(scratch.path("absent")) == nil)
        #expect(try CredentialFile.text(scratch.path("long/absent")) == nil)
    }

    @Test("are refused when they cannot be files with credentials")
    func unreadable() throws {
        let scratch = try ScratchFolder()
        let path = scratch.path("file")
        try scratch.write(String(repeating: "x", count: (1 << 20) + 1), to: "file")
        #expect(
            failure { () throws(Failure) in try CredentialFile.text(path) }?.description == """
                \(path) is longer than 1048576 bytes
                hint: This is no file with credentials; correct the path.
                """)
        #expect(
            failure { () throws(Failure) in try CredentialFile.text(scratch.path) }?.description
                == """
                \(scratch.path) is not a regular file
                hint: Credentials are read from files only; correct the path.
                """)
        let other = open(path, O_WRONLY | O_TRUNC)
        write(other, [0xFF, 0xFE] as [UInt8], 2)
        close(other)
        #expect(
            failure { () throws(Failure) in try CredentialFile.text(path) }?.description == """
                \(path) is not valid UTF-8
                hint: Save the file again as UTF-8.
                """)
    }

    @Test(
        "tell times",
        arguments: [
            ("2026-01-31T23:59:59Z", 1_769_903_999), ("2026-01-31T23:59:59.123456Z", 1_769_903_999),
            ("2026-02-01T00:59:59+01:00", 1_769_903_999),
            ("2026-01-31T18:29:59-05:30", 1_769_903_999), ("1970-01-01T00:00:00Z", 0),
        ])
    func moments(_ text: String, _ seconds: Int) {
        #expect(Moment.seconds(text) == seconds)
    }

    @Test(
        "are not taken for times",
        arguments: [
            "", "2026-01-31", "2026-01-31T23:59:59", "2026-01-31 23:59:59Z", "2026-13-31T23:59:59Z",
            "2026-01-31T23:59:59.Z", "2026-01-31T25:59:59Z", "2026-01-31T23:59:59+0100",
        ])
    func noMoments(_ text: String) {
        #expect(Moment.seconds(text) == nil)
    }

    private func run(_ command: String, _ limit: Duration = .seconds(10)) throws(Failure) -> String
    {
        let run = CredentialCommand(command: command, origin: "the command", timeLimit: limit)
        return String(decoding: try run.run(), as: UTF8.self)
    }

    @Test("are what a command prints on its standard output")
    func command() throws {
        #expect(try run("printf 'a b'; echo secret >&2; cat") == "a b")
        #expect(try run("exit 0") == "")
    }

    @Test("are not had from a command that fails, prints too much or waits")
    func commandFailures() {
        #expect(
            failure { () throws(Failure) in try run("echo secret; exit 3") }?.description == """
                the command ended with status 3
                hint: Run the command by itself to see why.
                """)
        #expect(
            failure { () throws(Failure) in try run("kill -9 $$") }?.message
                == "the command ended with signal 9")
        #expect(
            failure { () throws(Failure) in try run("yes") }?.description == """
                the command prints more than 65536 bytes
                hint: It should print one JSON object with credentials.
                """)
        let start = Clock.now
        for command in ["sleep 60", "sleep 60 & wait", "exec >&-; sleep 60"] {
            #expect(
                failure { () throws(Failure) in try run(command, .seconds(1)) }?.description == """
                    the command gave nothing for 1 s
                    hint: It must not wait for input; run it by itself to see what it waits for.
                    """)
        }
        #expect(Clock.now - start < .seconds(30))
    }
}
