import SluiceCore
import TestSupport

@testable import SluiceStore

/// The stores that `scripts/servers` started, each test in a prefix of its own; a test fails where one is missing.
extension StoreUnderTest {
    /// rclone's servers write into the object that others read. The dataset can live with it: what it replaces is
    /// its lease only.
    var replacesWhole: Bool {
        ![RealServer.rcloneS3, .rcloneWebDAV].contains { $0.description == testDescription }
    }

    static let real = RealServer.all.map { server in
        StoreUnderTest(testDescription: server.description) {
            // As the program has it: a server may close a connection whenever it likes.
            let store = RetryingStore(
                try server.open(RealServer.newPrefix()), retry: Retry(), stop: StopSignal())
            return Opened(store: store, owner: nil)
        }
    }
}

extension RealServer {
    /// - Parameter address: of something that stands before the server.
    func open(_ prefix: String, at address: String? = nil) throws -> any Store {
        let variables = try environment
        let surroundings = CredentialSurroundings(variable: { variables[$0] }, homeFolder: nil)
        let url = try url(prefix, at: address)
        var options = HTTPOptions()
        options.caBundle = variables["CURL_CA_BUNDLE"]
        switch kind {
        case .s3: return try StoreOpener.s3(S3Location(url), options, surroundings)
        case .gcs: return try StoreOpener.gcs(url, options, surroundings)
        case .http: return try StoreOpener.open(url, options: options)
        }
    }
}
