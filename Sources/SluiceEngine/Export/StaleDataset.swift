internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// A finished dataset whose source has gone on since.
///
/// It is never touched, and to load it is right where a load of it was begun. To begin one now
/// would give the target yesterday's rows under the name of today's run.
enum StaleDataset {
    /// What to say of it; nothing where the source is as it was, or where that cannot be known.
    static func warning(
        _ dataset: Dataset, _ source: any Source, _ run: Run
    ) throws(Failure) -> String? {
        guard let stamp = dataset.header.stamp else { return nil }
        let snapshot = try source.openSnapshot(
            SnapshotOptions(run.settings.consistency, lanes: 1, isTrial: true), stop: run.stop)
        let now = snapshot.stamp
        try snapshot.close()
        guard let now, now != stamp else { return nil }
        return "\(source.place) may have changed since the dataset in \(dataset.store.place) was "
            + "exported (\(dataset.header.createdAt)); nothing of that is in it"
    }

    /// A run may only go on with a load that was begun.
    static func refusal(_ dataset: Dataset, _ source: any Source) -> Failure {
        Failure(
            .refused,
            "the dataset in \(dataset.store.place) is finished, and \(source.place) may have "
                + "changed since \(dataset.header.createdAt)",
            hint: "Run into another prefix, for example file:out/{date}; sluice load loads the "
                + "finished dataset as it is.")
    }
}
