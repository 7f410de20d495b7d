import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("A position in a binary log starts the next stage")
struct MySQLHandoffTests {
    private func facts(_ details: [JSON.Member], flavor: String = "mariadb") -> HandoffFacts {
        let all: [JSON.Member] =
            [
                .init("flavor", .string(flavor)), .init("file", "binlog.000007"),
                .init("offset", 4711), .init("host", "db.example.com"), .init("port", 3307),
                .init("user", "o'h"), .init("server_id", 7),
            ] + details
        return HandoffFacts(
            dataset: "d1", engine: "mysql", identity: ["database": "shop"],
            position: Position(isExact: true, details: .object(all)),
            tables: [TableName("orders"), TableName("a.b")])
    }

    private func lines(
        _ form: String, _ details: [JSON.Member] = [], flavor: String = "mariadb"
    ) throws -> [String] {
        let found = try MySQLHandoff.lines(for: form, facts(details, flavor: flavor))
        return (found ?? []).filter { !$0.hasPrefix("-- ") || $0.contains("CHANGE") }
    }

    @Test("MariaDB's replication by GTIDs, or by file and offset")
    func mariaDB() throws {
        let byPlace =
            "CHANGE MASTER TO MASTER_HOST = 'db.example.com', MASTER_PORT = 3307, MASTER_USER = "
            + "'o''h', MASTER_LOG_FILE = 'binlog.000007', MASTER_LOG_POS = 4711, MASTER_USE_GTID = "
            + "no;"
        #expect(
            try lines("mariadb", [.init("gtid", "0-7-12,1-8-3")]) == [
                "SET GLOBAL gtid_slave_pos = '0-7-12,1-8-3';",
                "CHANGE MASTER TO MASTER_HOST = 'db.example.com', MASTER_PORT = 3307, MASTER_USER "
                    + "= 'o''h', MASTER_USE_GTID = slave_pos;",
                "START SLAVE;", "-- \(byPlace)",
            ])
        #expect(try lines("mariadb") == [byPlace, "START SLAVE;"])
    }

    @Test("MySQL's replication by the whole GTID set, or by file and offset")
    func mySQL() throws {
        let set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11-18"
        #expect(
            try lines("mysql", [.init("gtid", .string(set))], flavor: "mysql") == [
                "SET GLOBAL gtid_purged = '+\(set)';",
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db.example.com', SOURCE_PORT = 3307, "
                    + "SOURCE_USER = 'o''h', SOURCE_AUTO_POSITION = 1;",
                "START REPLICA;",
                "-- CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db.example.com', SOURCE_PORT = "
                    + "3307, SOURCE_USER = 'o''h', SOURCE_LOG_FILE = 'binlog.000007', "
                    + "SOURCE_LOG_POS = 4711;",
            ])
        #expect(
            try lines("mysql", [.init("gtid", "0-7-12")]) == [
                "CHANGE MASTER TO MASTER_HOST = 'db.example.com', MASTER_PORT = 3307, MASTER_USER "
                    + "= 'o''h', MASTER_LOG_FILE = 'binlog.000007', MASTER_LOG_POS = 4711;",
                "START SLAVE;",
            ])
    }

    @Test("a Debezium connector with its offset")
    func debezium() throws {
        let text = try #require(try lines("debezium", [.init("gtid", "0-7-12")]).first)
        let json = try JSON(parsing: Array(text.utf8))
        let config = try #require(json["config"])
        #expect(
            config["connector.class"]?.text
                == "io.debezium.connector.mariadb.MariaDbConnector")
        #expect(config["table.include.list"]?.text == "shop\\.orders,shop\\.a\\.b")
        #expect(config["snapshot.mode"]?.text == "recovery")
        let offset = try #require(json["offsets"]?.elements?.first?["offset"])
        #expect(offset["file"]?.text == "binlog.000007")
        #expect(offset["pos"]?.integer == 4711)
        #expect(offset["gtids"]?.text == "0-7-12")
        #expect(offset["server_id"]?.integer == 7)
    }

    @Test("what a stream of Datastream is started from")
    func datastream() throws {
        #expect(
            try lines("datastream") == [
                "{\"cdcStrategy\":{\"specificStartPosition\":{\"mysqlLogPosition\":{\"logFile\":"
                    + "\"binlog.000007\",\"logPosition\":4711}}}}"
            ])
    }

    @Test("nothing where there is no place, several servers, or rows are not whole")
    func refusals() {
        func refusal(_ form: String, _ details: [JSON.Member]) -> Failure? {
            failure { () throws(Failure) in
                _ = try MySQLHandoff.lines(for: form, facts(details))
            }
        }
        #expect(
            refusal("datastream", [.init("format", "MIXED")])?.message
                == "the binary log has format MIXED and row image FULL, and 'datastream' needs "
                + "whole rows")
        #expect(
            refusal("mariadb", [.init("channels", [[:], [:]])])?.message
                == "the dataset comes from a replica of 2 servers, and 'mariadb' starts from one")
        let none = HandoffFacts(
            dataset: "d", engine: "mysql", identity: [:],
            position: Position(isExact: true, details: [:]), tables: [])
        #expect(
            failure { () throws(Failure) in _ = try MySQLHandoff.lines(for: "mysql", none) }?
                .message == "the dataset has no place in a binary log")
        #expect(
            failure { () throws(Failure) in _ = try MySQLHandoff.lines(for: "postgres", none) }
                == nil)
    }

    private func failure(_ body: () throws(Failure) -> Void) -> Failure? {
        TestSupport.failure(of: body)
    }
}
