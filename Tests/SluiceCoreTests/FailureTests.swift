import SluiceCore
import Testing

@Suite("A failure")
struct FailureTests {
    @Test("says what, where and what to do")
    func text() {
        let failure = Failure(
            .failed, "duplicate key value violates unique constraint \"orders_pkey\"",
            code: "23505",
            hint: "Empty the table, or use --on-existing truncate."
        )
        .during("loading shard 00017 of chunk 12 of orders")
        .during("running the job")
        #expect(
            failure.description == """
                duplicate key value violates unique constraint "orders_pkey" [23505]
                  while loading shard 00017 of chunk 12 of orders
                  while running the job
                hint: Empty the table, or use --on-existing truncate.
                """)
        #expect(Failure(.bug, "this cannot be").description == "this cannot be")
    }

    @Test(
        "has the exit code of its kind",
        arguments: zip(Failure.Kind.allCases, [1, 2, 3, 4, 5, 6, 70, 130] as [Int32]))
    func exitCodes(_ kind: Failure.Kind, _ code: Int32) {
        #expect(kind.exitCode == code)
    }

    @Test("keeps everything else when a layer adds what it knows")
    func layers() {
        let failure = Failure(
            .unavailable, "no answer", code: "7", hint: "Wait.", isTransient: true)
        let changed = failure.during("a").hinting("Wait longer.").during("b")
        #expect(changed.kind == .unavailable)
        #expect(changed.headline == "no answer [7]")
        #expect(changed.places == ["a", "b"])
        #expect(changed.hint == "Wait longer.")
        #expect(changed.isTransient)
        #expect(failure.places == [])
    }

    @Test("about a row's values says so, and which row it is, whoever names it")
    func refusedRows() {
        let failure = Failure(.failed, "too long", code: "22001")
        #expect(!failure.refusesRow && failure.refusedRow == nil)
        let unknown = failure.refusing(row: nil)
        #expect(unknown.refusesRow && unknown.refusedRow == nil)
        let named = failure.at(row: 7).refusing(row: 7).at(row: nil).during("loading row 7 of t")
        #expect(named.refusesRow && named.refusedRow == 7 && named.row == nil)
        #expect(named.description == "too long [22001]\n  while loading row 7 of t")
        #expect(!failure.refusesRow)
    }

    @Test("gets its place only where something fails")
    func during() {
        var asked = 0
        func place() -> String {
            asked += 1
            return "counting"
        }
        do throws(Failure) {
            let result = try SluiceCore.during(place()) { () throws(Failure) in 7 }
            #expect(result == 7 && asked == 0)
            try SluiceCore.during(place()) { () throws(Failure) in
                throw Failure(.failed, "no")
            }
            Issue.record("the failure was swallowed")
        } catch {
            #expect(error.places == ["counting"])
        }
    }
}

@Suite("The log")
struct LogTests {
    private func lines(
        _ threshold: Log.Level, _ format: Log.Format, _ body: (Log) -> Void
    ) -> [String] {
        let lines = Monitor<[String]>([])
        body(Log(threshold: threshold, format: format) { line in lines.change { $0.append(line) } })
        return lines.read { $0 }
    }

    private func emitAll(_ log: Log) {
        log.debug("reads 3 chunks")
        log.info("orders: 10 rows")
        log.warning("the position is not exact")
        log.failure(Failure(.refused, "no", code: "7", hint: "Ask.").during("trying"))
    }

    @Test("writes text for people")
    func text() {
        #expect(
            lines(.debug, .text, emitAll) == [
                "reads 3 chunks\n", "orders: 10 rows\n", "warning: the position is not exact\n",
                "sluice: no [7]\n  while trying\nhint: Ask.\n",
            ])
        #expect(lines(.warning, .text, emitAll).count == 2)
    }

    @Test("writes one JSON object a line")
    func json() throws {
        let objects = try lines(.info, .json, emitAll).map { try JSON(parsing: Array($0.utf8)) }
        #expect(objects.map { $0["level"]?.text } == ["info", "warning", "error"])
        #expect(
            objects.map { $0["message"]?.text } == [
                "orders: 10 rows", "the position is not exact", "no",
            ])
        #expect(objects.allSatisfy { $0["time"]?.text?.utf8.count == 20 })
        let failure = try #require(objects.last)
        #expect(failure["code"] == "7")
        #expect(failure["while"] == ["trying"])
        #expect(failure["hint"] == "Ask.")
        #expect(failure["exit"] == 6)
    }

    @Test("does not make what it does not write")
    func lazy() {
        _ = lines(.warning, .text) { log in
            log.info(
                { () -> String in
                    Issue.record("the message was made")
                    return ""
                }())
        }
    }
}
