import Glibc
import TestSupport
import Testing

/// From the recorded position the server's own replication goes on: nothing is missing, nothing comes twice.
@Suite("Native replication from a dataset's position", .serialized)
struct MySQLHandoffTests {
    @Test(
        "ends in a target that equals its source, while the source is written all the time",
        arguments: 1...(isLong ? 20 : 2), ["mariadb", "mysql"])
    func replication(_ round: Int, _ form: String) throws {
        let place = try MySQLPlace(targetOn: .second)
        let load = try MySQLLoad(place, scale: 2)
        try place.succeed("run", "--shard-bytes", "64KiB", "--lanes", "3")
        let handoff = try place.place.succeed("handoff", "--store", "file:out", "--for", form)
        // By GTID here, by file and offset there.
        #expect(handoff.text.contains("\nSET GLOBAL gtid_slave_pos") == (form == "mariadb"))
        defer { leave() }
        try follow(place, handoff.text)
        usleep(500_000)
        try load.stop()
        let end = try place.source.sql("SHOW MASTER STATUS").split(separator: "\t")
        try #require(end.count > 1)
        try eventually("replication does not catch up") {
            try MariaDBServer.second.sql("SELECT master_pos_wait('\(end[0])', \(end[1]), 5)").number
                >= 0
        }
        let status = try MariaDBServer.second.sql("SHOW SLAVE STATUS")
        #expect(status.contains("\tYes\tYes\t"), "\(status)")
        try place.expectEqual()
        try load.expectOneInstant(in: place.target, scale: 2)
    }

    /// Runs what the handoff says on the second server, which looks at this database alone.
    private func follow(_ place: MySQLPlace, _ handoff: String) throws {
        let password = try MariaDBServer.password
        #expect(!handoff.contains(password))
        let start = try #require(handoff.firstRange(of: "MASTER_USER = "), "\(handoff)")
        try place.place.write(
            """
            SET GLOBAL replicate_do_db = '\(place.source.name)';
            \(handoff[..<start.lowerBound])MASTER_PASSWORD = '\(password)', \(handoff[start.lowerBound...])
            """, to: "handoff.sql")
        let client = try place.target.command("mariadb")
        try Shell.output(of: "\(client) < \(Shell.quoted(place.place["handoff.sql"]))")
    }

    private func leave() {
        _ = try? MariaDBServer.second.sql(
            "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL replicate_do_db = '', gtid_slave_pos = ''"
        )
    }

    @Test("is refused where the server keeps no binary log")
    func noLog() throws {
        let place = try MySQLPlace(sourceOn: .second)
        try place.source.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        try place.succeed("export")
        let result = try place.place.run("handoff", "--store", "file:out", "--for", "mariadb")
        #expect(result.code == 6, "\(result.text)")
        #expect(result.text == "")
        #expect(result.errorText.hasPrefix("sluice: "))
    }

    @Test("begins for Debezium and Datastream at the same place")
    func otherForms() throws {
        let place = try MySQLPlace()
        try place.source.sql(
            "CREATE TABLE `a.b` (id int PRIMARY KEY); INSERT INTO `a.b` VALUES (1)")
        try place.succeed("export", "--consistency", "locked")
        let position = try String(
            decoding: place.place.read("out/dataset.json"), as: UTF8.self)
        let file = try #require(position.firstMatch(of: /"file": "([^"]+)"/)).1
        let offset = try #require(position.firstMatch(of: /"offset": (\d+)/)).1
        let datastream = try place.place.succeed(
            "handoff", "--store", "file:out", "--for", "datastream")
        #expect(
            datastream.text == """
                {"cdcStrategy":{"specificStartPosition":{"mysqlLogPosition":{"logFile":"\(file)",\
                "logPosition":\(offset)}}}}

                """)
        let debezium = try place.place.succeed(
            "handoff", "--store", "file:out", "--for", "debezium")
        #expect(debezium.text.contains("\"file\":\"\(file)\",\"pos\":\(offset),"))
        #expect(debezium.text.contains("\(place.source.name)\\\\.a\\\\.b"), "\(debezium.text)")
    }
}
