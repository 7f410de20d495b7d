import SluiceCore
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("A URL says where a server is, and beats option files")
struct MySQLAddressTests {
    private func address(_ url: String, files: [String] = []) throws -> MySQLAddress {
        try MySQLAddress(url: url, shown: "mysql://shown", files: files)
    }

    @Test("user, password, host, port and database, with special characters as %XX")
    func parts() throws {
        let found = try address("mysql://o%27h:p%40%2Fss@db.example.com:3307/sh%20op")
        #expect(found.user == "o'h")
        #expect(found.password == "p@/ss")
        #expect(found.host == "db.example.com")
        #expect(found.port == 3307)
        #expect(found.database == "sh op")
        #expect(found.place == "mysql://shown")
        #expect(try address("mariadb://u@[::1]:33/d").host == "::1")
        #expect(try address("mariadb://u@[::1]:33/d").port == 33)
        #expect(try address("mysql:///d?socket=/run/s.sock").socket == "/run/s.sock")
    }

    @Test("parameters are those of the clients, in either spelling")
    func parameters() throws {
        let found = try address(
            "mysql://h/d?ssl-mode=VERIFY_IDENTITY&ssl_ca=/a%20b.pem&connect-timeout=3&compress=1")
        #expect(found.tlsMode == .verifyIdentity)
        #expect(found.tls == ["ssl-ca": "/a b.pem"])
        #expect(found.connectTimeout == 3)
        #expect(found.isCompressed)
        #expect(try address("mysql://h/d").tlsMode == .preferred)
        #expect(try address("mysql://h/d").writesLog)
        #expect(try address("mysql://h/d?sql_log_bin=1").writesLog)
        #expect(try !address("mysql://h/d?sql-log-bin=0").writesLog)
    }

    @Test("what is not understood is refused by name, without the value")
    func refusals() {
        let form =
            "Write mysql://user@host:port/database, and special characters of names and passwords "
            + "as %XX."
        for (url, message, hint) in [
            ("mysql://h", "mysql://shown does not name one database", form),
            ("mysql://h/a/b", "mysql://shown does not name one database", form),
            ("mysql://h:x/d", "mysql://shown has a port that is no number", form),
            ("mysql://h/d%4", "mysql://shown has a '%' that does not stand for a character", form),
            (
                "mysql://h/d?sslmode=require",
                "mysql://shown has the parameter 'sslmode', which sluice does not know",
                "Did you mean 'ssl-mode'?"
            ),
            (
                "mysql://h/d?ssl-mode=yes",
                "mysql://shown has a value of 'ssl-mode' that is not understood",
                "Give it one of disabled, preferred, required, verify-ca, verify-identity."
            ),
            (
                "mysql://h/d?sql-log-bin=no",
                "mysql://shown has a value of 'sql-log-bin' that is not understood",
                "Give it 0 or 1."
            ),
            (
                "mysql://h/d?connect-timeout=0",
                "mysql://shown has a value of 'connect-timeout' that is not understood",
                "Give it a number of seconds from 1 to 3600."
            ),
            (
                "mysql://h/d?compress=maybe",
                "mysql://shown has a value of 'compress' that is not understood",
                "Give it true or false."
            ),
        ] {
            let found = failure { () throws(Failure) in
                _ = try MySQLAddress(url: url, shown: "mysql://shown", files: [])
            }
            #expect(found?.kind == .usage, "\(url)")
            #expect(found?.message == message, "\(url)")
            #expect(found?.hint == hint, "\(url)")
        }
    }

    private func failure(_ body: () throws(Failure) -> Void) -> Failure? {
        TestSupport.failure(of: body)
    }

    @Test("option files give what the URL leaves open, the later beating the earlier")
    func files() throws {
        let folder = try ScratchFolder()
        let first = try folder.write(
            """
            [mysqld]
            user = nobody
            [client]
            user=one
            password = "p # \\\\ \\s'" # a note
            port=4000
            host=elsewhere.example.com
            loose-ssl_ca = /ca.pem
            [mysqldump]
            user=dump
            """, to: "first.cnf")
        let second = try folder.write("[client-mariadb]\nuser = two\nssl\n", to: "second.cnf")
        let found = try address("mysql:///d", files: [first, second, folder.path("none.cnf")])
        #expect(found.user == "two")
        #expect(found.password == "p # \\  '")
        #expect(found.host == "elsewhere.example.com")
        #expect(found.port == 4000)
        #expect(found.tls == ["ssl-ca": "/ca.pem"])
        #expect(found.tlsMode == .required)
        let other = try address("mysql://three@h/d?ssl-mode=disabled", files: [first, second])
        #expect(other.user == "three")
        #expect(other.host == "h")
        #expect(other.port == 0)
        #expect(other.tlsMode == .disabled)
    }

    @Test("option files include others, and one that everybody may write to does not count")
    func includes() throws {
        let folder = try ScratchFolder()
        try folder.makeFolder("more")
        _ = try folder.write("[client]\nuser=b\n", to: "more/b.cnf")
        _ = try folder.write("[client]\nuser=a\npassword=x\n", to: "more/a.cnf")
        _ = try folder.write("[client]\nuser=ignored\n", to: "more/z.txt")
        let open = try folder.write("[client]\nuser=everybody\n", to: "more/open.cnf")
        try Shell.output(of: "chmod 666 \(Shell.quoted(open))")
        let main = try folder.write("!includedir \(folder.path("more"))\n", to: "main.cnf")
        let found = try address("mysql://h/d", files: [main])
        #expect(found.user == "b")
        #expect(found.password == "x")
    }

    @Test("a password command beats the URL")
    func passwordCommand() throws {
        let found = try MySQLAddress(
            url: "mysql://u:wrong@h/d", shown: "s", passwordCommand: "printf 'right\\nmore'",
            files: [])
        #expect(found.password == "right")
        let failed = failure { () throws(Failure) in
            _ = try MySQLAddress(
                url: "mysql://h/d", shown: "s", passwordCommand: "exit 3", files: [])
        }
        #expect(failed?.message == "the password command failed")
    }
}
