internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// `rejects/<table>/….json`, beside the shard of the same name: which records of a shard a target
/// refused, and why. Never a row's values.
struct RejectsNote: Sendable {
    struct Row: Sendable {
        /// Its number in the shard that it was refused from, counted from 1.
        var row: Int
        /// Nothing where the table has no key or keys are hidden.
        var key: String?
        var code: String?
        var message: String

        var reason: String { code.map { "\(message) [\($0)]" } ?? message }
    }

    var dataset: String
    var table: TableName
    /// The key of the shard that they were refused from.
    var origin: String
    /// The shard below `rejects/` that holds them.
    var shard: Seal.Shard
    var rows: [Row]

    var digest: Digest { shard.summary.digest }

    func json(fields: [Field]) -> JSON {
        var members: [JSON.Member] = [.init("dataset", .string(dataset))]
        members += table.members
        members += [
            .init("origin", .string(origin)),
            .init("shard", shard.json(fields: fields)),
            .init("rows", .array(rows.map(\.json))),
        ]
        return .object(members)
    }

    init(
        dataset: String, table: TableName, origin: String, shard: Seal.Shard, rows: [Row]
    ) {
        self.dataset = dataset
        self.table = table
        self.origin = origin
        self.shard = shard
        self.rows = rows
    }

    init(_ reader: ObjectReader, of plan: TablePlan) throws(Failure) {
        dataset = try reader.text("dataset")
        table = try reader.tableName()
        origin = try reader.text("origin")
        shard = try Seal.Shard(try reader.object("shard"), fields: plan.schema.fields)
        rows = []
        for row in try reader.objects("rows") { rows.append(try Row(row)) }
        guard rows.count == digest.rowCount, table == plan.table,
            DatasetKeys.note(ofRejects: shard.key).utf8.elementsEqual(reader.key.utf8)
        else { throw SealedJSON.damaged(reader.key, "it does not fit the shard that it names") }
    }
}

extension RejectsNote.Row {
    fileprivate var json: JSON {
        [
            "row": .int(row), "key": JSON(key), "code": JSON(code), "message": .string(message),
        ]
    }

    fileprivate init(_ reader: ObjectReader) throws(Failure) {
        row = try reader.count("row")
        key = try reader.optionalText("key")
        code = try reader.optionalText("code")
        message = try reader.text("message")
    }
}

extension Dataset {
    /// The note beside a shard below `rejects/`; nothing where there is none, or another dataset
    /// has left it.
    func rejectsNote(beside shard: String, of plan: TablePlan) throws(Failure) -> RejectsNote? {
        guard let object = try store.sealedObject(DatasetKeys.note(ofRejects: shard)) else {
            return nil
        }
        let note = try RejectsNote(object.reader, of: plan)
        return note.dataset.utf8.elementsEqual(id.utf8) ? note : nil
    }

    /// The table whose shard below `rejects/` this could be.
    func table(ofRejects key: String) -> TableName? {
        header.tables.first { name in
            DatasetKeys.isRejects(key, of: KeySegment.make(from: name))
        }
    }
}
