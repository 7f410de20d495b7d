import SluiceCore
import SluiceEngine
import Testing

@testable import SluiceCLI

struct ResultTextTests {
    private func outcome(
        _ command: String, _ status: Outcome.Status = .done, verified: Bool? = nil,
        lines: [String] = []
    ) -> Outcome {
        var outcome = Outcome(command: command)
        outcome.status = status
        outcome.tables = 12
        outcome.rows = 2_000_000
        outcome.shards = 1
        outcome.bytes = 3 << 20
        outcome.seconds = 75
        outcome.verified = verified
        outcome.lines = lines
        return outcome
    }

    @Test("a command that moves rows says what it did in one line, and whether it was verified")
    func moving() {
        let sums = "12 tables, 2,000,000 rows (1 shard, 3.0 MiB) in 1 min 15 s\n"
        let same = "verified: the target holds exactly the rows of the snapshot\n"
        let sameDataset = "verified: the target holds exactly the rows of the dataset\n"
        let differs = "not verified: the target differs\n"
        #expect(ResultText.text(outcome("run", verified: true)) == "migrated \(sums)\(same)")
        #expect(ResultText.text(outcome("export")) == "exported \(sums)")
        #expect(ResultText.text(outcome("load")) == "loaded \(sums)")
        #expect(ResultText.text(outcome("load", .unfinished)) == "so far loaded \(sums)")
        #expect(ResultText.text(outcome("load", .unchanged)) == "loaded before: \(sums)")
        #expect(ResultText.text(outcome("export", .unchanged)) == "exported before: \(sums)")
        #expect(
            ResultText.text(outcome("verify", verified: true)) == "compared \(sums)\(sameDataset)")
        #expect(
            ResultText.text(outcome("verify", .differs, verified: false, lines: ["a differs: …"]))
                == "compared \(sums)a differs: …\n\(differs)")
        #expect(
            ResultText.text(outcome("run", .differs, verified: false, lines: ["a differs: …"]))
                == "compared \(sums)a differs: …\n\(differs)")
    }

    @Test("other results are the lines of the engine")
    func others() {
        for command in ["plan", "status", "inspect", "prune", "doctor", "handoff"] {
            #expect(ResultText.text(outcome(command, lines: ["one", "two"])) == "one\ntwo\n")
        }
        #expect(
            ResultText.text(outcome("run", .unchanged, verified: true, lines: ["it is there"]))
                == "it is there\n")
    }

    @Test("a failed command has the members of every outcome, and the error")
    func failure() {
        let failure = Failure(.unavailable, "it broke", code: "42", hint: "Mend it.")
            .during("loading shard 7")
        #expect(
            ResultText.json(of: failure, command: .load, seconds: 1.23456).compact
                == #"{"command":"load","status":"failed","dataset":null,"tables":0,"rows":0,"#
                + #""shards":0,"bytes":0,"seconds":1.235,"verified":null,"position":null,"#
                + #""warnings":[],"error":{"kind":"unavailable","message":"it broke","code":"42","#
                + #""while":["loading shard 7"],"hint":"Mend it.","exit":5}}"#)
    }

    @Test(
        "the status of a failed command tells whether going on makes sense",
        arguments: [
            (Failure.Kind.failed, "failed"), (.usage, "failed"), (.differs, "differs"),
            (.unfinished, "unfinished"), (.unavailable, "failed"), (.refused, "failed"),
            (.bug, "failed"), (.interrupted, "unfinished"),
        ])
    func status(_ kind: Failure.Kind, _ status: String) {
        let json = ResultText.json(of: Failure(kind, "x"), command: nil)
        #expect(json["status"]?.text == status)
        #expect(json["command"] == .null)
    }
}
