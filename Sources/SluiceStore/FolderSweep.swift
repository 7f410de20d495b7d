internal import Glibc
internal import SluiceCore

/// What processes that died left under hidden names.
enum FolderSweep {
    /// A live draft changes or is published well within this; a machine that slept longer fails,
    /// loses nothing.
    private static let leftoverSeconds = 24 * 60 * 60
    private static let hiddenStart = Array(FolderDraft.hiddenStart.utf8)

    /// Removes old drafts. What cannot be removed stays: it is in nobody's way.
    ///
    /// - Parameter now: by the filesystem's own clock, which may be another machine's.
    static func removeLeftovers(in folder: Int32, now: Int) {
        guard let stream = FolderStream(folder) else { return }
        while let entry = try? stream.next("") {
            guard entry.name.starts(with: hiddenStart),
                let name = entry.name.assumingMemoryBound(to: CChar.self).baseAddress
            else { continue }
            var facts = stat()
            guard fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0,
                facts.st_mode & S_IFMT == S_IFREG,
                Int(facts.st_mtim.tv_sec) < now - leftoverSeconds
            else { continue }
            unlinkat(folder, name, 0)
        }
    }

    /// False when the folder holds anything else, found out by reading as far as that.
    static func removeOldLeftovers(ofOtherwiseEmpty name: String, in parent: Int32) -> Bool {
        var facts = stat()
        guard let folder = Descriptor.folder(name, in: parent, follow: false),
            fstat(folder.number, &facts) == 0, holdsOnlyDrafts(folder.number)
        else { return false }
        // A folder changes with each name that is removed: this is the clock of a moment ago.
        removeLeftovers(in: folder.number, now: Int(facts.st_mtim.tv_sec))
        return true
    }

    private static func holdsOnlyDrafts(_ folder: Int32) -> Bool {
        guard let stream = FolderStream(folder) else { return false }
        while let entry = try? stream.next("") {
            let isItself = entry.name.elementsEqual(".".utf8) || entry.name.elementsEqual("..".utf8)
            guard isItself || entry.name.starts(with: hiddenStart) else { return false }
        }
        return true
    }
}
