import CSQLite
import Glibc
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

extension Shell {
    /// Runs SQL with the `sqlite3` tool.
    @discardableResult
    static func sqlite(_ path: String, _ sql: String) throws -> String {
        let script = path + ".sql"
        try FileBytes.write(Array(sql.utf8), to: script)
        return try output(of: "sqlite3 -batch '\(path)' < '\(script)'")
    }

    /// What `.dump` prints without the ledger.
    static func dump(_ path: String) throws -> String {
        let dump = try output(of: "sqlite3 -batch '\(path)' .dump")
        var lines: [Substring] = []
        var isLedger = false
        for line in dump.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("CREATE TABLE sluice_ledger") { isLedger = true }
            if !isLedger, !line.hasPrefix("INSERT INTO sluice_ledger") { lines.append(line) }
            if line.hasSuffix("WITHOUT ROWID;") || line.hasSuffix("without rowid;") {
                isLedger = false
            }
        }
        return lines.joined(separator: "\n")
    }
}

/// The whole way of a SQLite file into another one, without a store between.
struct Migration {
    let source: String
    let target: String
    var onExisting = OnExisting.refuse
    var isTrusted = true
    var dataset = "d1"
    /// Only these tables, where given.
    var only: [Name]?
    var chunkBytes = 1 << 30

    /// Plans, loads and makes everything; then reads back and compares each table's digest.
    @discardableResult
    func run(until phase: LoadStep.Phase = .code) throws -> TargetSurvey {
        let snapshot = try SQLiteSource(path: source).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let catalog = try snapshot.catalog()
        let session = try snapshot.openSession()
        defer { session.close() }
        var plans: [TablePlan] = []
        for table in catalog.tables where only?.contains(table.name.table) ?? true {
            plans.append(try session.plan(table, PlanOptions(chunkBytes: chunkBytes)))
        }
        let request = LoadRequest(
            dataset: dataset, tables: plans, trustedSchema: isTrusted ? catalog.schema : nil,
            onExisting: onExisting, sourceEngine: "sqlite")
        let file = SQLiteTarget(path: target)
        let survey = try file.survey(request)
        try #require(survey.conflicts == [])
        let writing = try file.openSession(request, stop: StopSignal())
        try writing.prepare()
        for step in survey.steps where step.phase == .tables { try writing.perform(step) }
        try writing.begin(plans)
        for plan in plans { try load(plan, session, writing) }
        for step in survey.steps where step.phase > .tables && step.phase <= phase {
            try writing.perform(step)
        }
        writing.close()
        try file.close()
        return survey
    }

    private func load(
        _ plan: TablePlan, _ session: any SourceSession, _ writing: any TargetSession
    ) throws {
        for chunk in plan.chunks {
            try session.open(chunk, of: plan, hidesKeys: false)
            let digest = try Migration.digest(session, plan)
            try session.open(chunk, of: plan, hidesKeys: false)
            let unit = "data/\(plan.table)/\(chunk.number)"
            let outcome = try writing.load(unit, of: plan, from: session, expecting: digest)
            #expect(outcome == .loaded(mapped: digest))
            var found = Digest.empty
            for slice in try writing.slices(of: plan, atMost: 3) {
                found += try Migration.digest(try writing.readBack(slice, of: plan), plan)
            }
            if plan.chunks.count == 1 { #expect(found == digest, "\(plan.table)") }
        }
    }

    static func digest(_ records: any RecordSource, _ plan: TablePlan) throws -> Digest {
        var batch = Batch(fieldCount: plan.schema.fields.count)
        var digest = Digest.empty
        while true {
            let hasMore = try records.fill(&batch, byteGoal: 1 << 16)
            #expect(batch.misfits == [])
            digest += batch.digest
            batch.removeAll()
            if !hasMore { return digest }
        }
    }
}
