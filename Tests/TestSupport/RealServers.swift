import Glibc

/// The object stores that `scripts/servers` started, as stores that sluice is given.
public struct RealServer: Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        case s3
        case gcs
        case http
    }

    /// What goes wrong where a server is missing; tests end with it and are never skipped.
    public struct Missing: Error, CustomStringConvertible {
        let variable: String

        public init(variable: String) {
            self.variable = variable
        }

        public var description: String { "\(variable) is not set; run scripts/test" }
    }

    public let description: String
    public let kind: Kind
    /// The variable with its address.
    let variable: String
    /// As `scripts/servers` calls it for rclone; nothing where rclone cannot reach it.
    public let remote: String?

    public static let seaweedFS = RealServer(
        description: "SeaweedFS", kind: .s3, variable: "SLUICE_TEST_S3",
        remote: "seaweedfs:sluice")
    public static let rcloneS3 = RealServer(
        description: "rclone's S3", kind: .s3, variable: "SLUICE_TEST_S3_RCLONE",
        remote: "rclones3:sluice")
    public static let nginx = RealServer(
        description: "nginx", kind: .http, variable: "SLUICE_TEST_WEBDAV", remote: "nginx:")
    public static let rcloneWebDAV = RealServer(
        description: "rclone's WebDAV", kind: .http, variable: "SLUICE_TEST_WEBDAV_RCLONE",
        remote: "rclonewebdav:")
    public static let nginxTLS = RealServer(
        description: "nginx with TLS", kind: .http, variable: "SLUICE_TEST_HTTPS",
        remote: "nginx:")
    public static let gcs = RealServer(
        description: "an emulator of GCS", kind: .gcs, variable: "SLUICE_TEST_GCS", remote: nil)

    public static let all = [seaweedFS, rcloneS3, nginx, rcloneWebDAV, nginxTLS, gcs]

    /// `http://127.0.0.1:PORT`.
    public var address: String {
        get throws { try RealServer.setting(variable) }
    }

    /// The URL that sluice is given for a prefix.
    ///
    /// - Parameter address: of something that stands before the server.
    public func url(_ prefix: String, at address: String? = nil) throws -> String {
        let address = try address ?? self.address
        switch kind {
        case .s3: return "s3://sluice/\(prefix)?endpoint=\(address)&region=us-east-1"
        case .gcs: return "gs://sluice/\(prefix)?endpoint=\(address)"
        case .http:
            guard variable == "SLUICE_TEST_WEBDAV_RCLONE" else { return "\(address)/\(prefix)" }
            let user = try RealServer.setting("SLUICE_TEST_HTTP_USER")
            let password = try RealServer.setting("SLUICE_TEST_HTTP_PASSWORD")
            let host = address.dropFirst("http://".count)
            return "http://\(user):\(password)@\(host)/\(prefix)"
        }
    }

    /// The variables that sluice needs to be let in.
    public var environment: [String: String] {
        get throws {
            switch kind {
            case .s3:
                [
                    "AWS_ACCESS_KEY_ID": try RealServer.setting("SLUICE_TEST_S3_KEY"),
                    "AWS_SECRET_ACCESS_KEY": try RealServer.setting("SLUICE_TEST_S3_SECRET"),
                    "AWS_EC2_METADATA_DISABLED": "true",
                ]
            case .gcs: ["NO_GCE_CHECK": "true"]
            case .http:
                variable == "SLUICE_TEST_HTTPS"
                    ? ["CURL_CA_BUNDLE": try RealServer.setting("SLUICE_TEST_CERTIFICATE")] : [:]
            }
        }
    }

    /// What may never be seen in anything that sluice writes.
    public static var secrets: [String] {
        get throws {
            try [
                "SLUICE_TEST_S3_SECRET", "SLUICE_TEST_S3_READER_SECRET",
                "SLUICE_TEST_HTTP_PASSWORD",
            ].map(setting)
        }
    }

    /// What `scripts/servers` says.
    public static func setting(_ name: String) throws -> String {
        guard let value = getenv(name), value.pointee != 0 else { throw Missing(variable: name) }
        return String(cString: value)
    }

    /// A prefix that no other test has.
    public static func newPrefix() -> String {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return "test-" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
