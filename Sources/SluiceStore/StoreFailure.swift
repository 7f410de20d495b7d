internal import SluiceCore

/// What every store says in the same words.
enum StoreFailure {
    static func tooLong(_ place: String, _ byteCount: Int, _ byteLimit: Int) -> Failure {
        Failure(
            .failed, "\(place) has \(byteCount) bytes, more than the \(byteLimit) expected",
            hint: "Did something else write into this store?")
    }

    static func wholeInsteadOfPart(_ place: String) -> Failure {
        Failure(
            .failed, "a part of \(place) was asked for, and the answer is something else",
            hint: "Does something between this machine and the store leave out ranges?")
    }
}
