import Glibc
import TestSupport

/// The files of `fixtures/` that hold golden bytes.
enum Fixture {
    /// `SLUICE_TEST_RECORD=1` writes fixtures anew instead of comparing with them; look at the
    /// difference before you check it in.
    static var isRecording: Bool { getenv("SLUICE_TEST_RECORD") != nil }

    static func bytes(_ name: String) throws -> [UInt8] {
        try FileBytes.read(Repository.fixture(name))
    }

    /// The fixture's bytes; while recording, `bytes` themselves after they became the fixture.
    static func bytes(_ name: String, recording bytes: [UInt8]) throws -> [UInt8] {
        if isRecording { try FileBytes.write(bytes, to: Repository.fixture(name)) }
        return try self.bytes(name)
    }
}
