internal import Glibc
internal import SluiceCore

/// What the system says about a folder store, in words: the one way from `errno` to a failure.
enum FolderFailure {
    enum Verb: String {
        case read
        case list
        case write
        case delete
    }

    /// - Parameter place: the object or folder as `file:PATH`.
    static func make(_ code: Int32, _ verb: Verb, _ place: String) -> Failure {
        switch code {
        case EACCES, EPERM:
            Failure(
                .failed, "permission denied to \(verb.rawValue) \(place)",
                hint: "Does the user that runs sluice own this folder?")
        case ENOSPC:
            Failure(
                .failed, "no space left in \(place)",
                hint: "Free some space, then run the same command again.")
        case EDQUOT:
            Failure(
                .failed, "the disk quota is used up in \(place)",
                hint: "Free some space or raise the quota, then run the same command again.")
        case EROFS:
            Failure(
                .failed, "\(place) is on a read-only filesystem",
                hint: "Mount it for writing, or choose another folder.")
        case ENAMETOOLONG:
            Failure(
                .failed, "the name is too long for the filesystem of \(place)",
                hint: "Choose a folder with a shorter path, or on another filesystem.")
        case EMFILE, ENFILE:
            Failure(
                .failed, "too many open files to \(verb.rawValue) \(place)",
                hint: "Raise the limit with ulimit -n, or use fewer --lanes.")
        case EIO:
            Failure(
                .failed, "the disk fails to \(verb.rawValue) \(place)",
                hint: "The kernel's log says more; see dmesg.")
        default:
            Failure(
                .failed, "cannot \(verb.rawValue) \(place): \(words(code))", code: "errno \(code)",
                isTransient: [EAGAIN, EBUSY, EINTR, ESTALE, ETIMEDOUT].contains(code))
        }
    }

    static func notAFolder(_ place: String) -> Failure {
        Failure(
            .failed, "\(place) is not a folder",
            hint: "A store needs a folder of its own; choose another path.")
    }

    static func notAnObject(_ place: String) -> Failure {
        Failure(
            .failed, "\(place) is not a regular file",
            hint: "A store neither follows links nor reads devices; put the file itself there.")
    }

    private static func words(_ code: Int32) -> String {
        guard let text = strerror(code) else { return "unknown error" }
        let words = String(cString: text)
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}
