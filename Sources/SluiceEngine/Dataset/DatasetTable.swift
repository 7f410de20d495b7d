internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// One table of a dataset as the store has it: its plan and the seals of its complete chunks.
struct DatasetTable: Sendable {
    let plan: TablePlan
    /// In chunk order; fewer than the plan has chunks where the dataset is unfinished.
    let seals: [Seal]
    let planHash: String
    /// SHA-256 over the seals' bytes in chunk order.
    let sealsHash: String

    var name: TableName { plan.table }
    var isComplete: Bool { seals.count == plan.chunks.count }
    var digest: Digest { seals.reduce(.empty) { $0 + $1.digest } }
    var shards: [Seal.Shard] { seals.flatMap(\.shards) }

    /// The seals' sums as the manifest has them.
    func manifestTable(counted: Int?) -> Manifest.Table {
        var reserved: [JSON.Member] = []
        for (index, field) in plan.schema.fields.enumerated() {
            let count = shards.reduce(0) { $0 &+ $1.summary.reserved[index] }
            if count > 0 { reserved.append(.init(field.avroName, .int(count))) }
        }
        return Manifest.Table(
            name: name, digest: digest, recordBytes: seals.reduce(0) { $0 &+ $1.recordBytes },
            storedBytes: seals.reduce(0) { $0 &+ $1.storedBytes }, shards: shards.count,
            chunks: seals.count, counted: counted, plan: planHash, seals: sealsHash,
            reserved: reserved)
    }
}

extension Dataset {
    /// Reads a table's plan and seals, and proves that the plan's chunks cover the table.
    ///
    /// - Returns: nothing where the table is not planned yet.
    func table(_ name: TableName) throws(Failure) -> DatasetTable? {
        let planKey = DatasetKeys.plan(KeySegment.make(from: name))
        guard let object = try store.sealedObject(planKey) else { return nil }
        let plan = try TablePlan(object.reader, dataset: id)
        guard plan.table == name else {
            throw SealedJSON.damaged(planKey, "it is the plan of another table")
        }
        var seals: [Seal] = []
        let hash = SHA256()
        for chunk in plan.chunks {
            guard let seal = try sealObject(of: chunk, in: plan) else { continue }
            seal.bytes.withUnsafeBytes { hash.update($0) }
            seals.append(seal.seal)
        }
        return DatasetTable(
            plan: plan, seals: seals,
            planHash: object.bytes.withUnsafeBytes { Hexadecimal.string(SHA256.hash($0)) },
            sealsHash: Hexadecimal.string(hash.finish()))
    }

    /// The same for a finished dataset, checked against what the manifest says of the table.
    func table(_ expected: Manifest.Table) throws(Failure) -> DatasetTable {
        guard let table = try table(expected.name), table.isComplete else {
            throw Failure(
                .refused, "a plan or seal of \(expected.name) is missing from the dataset",
                hint: "Restore the object or export again elsewhere.")
        }
        guard table.planHash == expected.plan, table.sealsHash == expected.seals,
            table.digest == expected.digest, table.shards.count == expected.shards
        else {
            throw Failure(
                .refused, "the plan and seals of \(expected.name) are not those of the manifest",
                hint: "Restore the objects or export again elsewhere.")
        }
        return table
    }

    /// Checks `dataset.json` and the schema against the manifest's hashes.
    func checkObjects(_ manifest: Manifest) throws(Failure) {
        let expected = [DatasetKeys.header, DatasetKeys.schemaObjects, DatasetKeys.schemaScript]
        guard manifest.objects.map(\.key) == expected else {
            throw SealedJSON.damaged(DatasetKeys.manifest, "it names other objects than it must")
        }
        for object in manifest.objects where JSON.string(try hash(of: object.key)) != object.value {
            throw SealedJSON.damaged(object.key, "the manifest holds another hash of it")
        }
        guard manifest.tables.map(\.name) == header.tables else {
            throw SealedJSON.damaged(DatasetKeys.manifest, "it names other tables than the dataset")
        }
    }
}
