internal import CCurl
internal import Glibc
internal import SluiceCore

/// What libcurl says, in words: the one way from its codes to a failure.
struct HTTPFailure {
    private let handle: HTTPHandle
    private let options: HTTPOptions
    /// `https://host:port`: neither user nor path nor query, which may hold secrets.
    private let host: String

    init(_ handle: HTTPHandle, _ options: HTTPOptions, url: String) {
        self.handle = handle
        self.options = options
        host = HTTPURL(url)?.host ?? "the server"
    }

    /// - Parameter byteCount: as far as it has come, or been announced.
    func tooLong(_ byteCount: Int, limit: Int) -> Failure {
        Failure(
            .failed, "\(host) answers with \(byteCount) bytes, more than the \(limit) expected",
            hint: "Does something else than a store answer there?")
    }

    func make(_ code: CURLcode) -> Failure {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return unavailable(
                "the name of \(host) is not known",
                "Is the host right, and does this machine reach its name server?")
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
            return unavailable(
                "the proxy to \(host) does not answer",
                "Are https_proxy, http_proxy and no_proxy in the environment right?")
        case CURLE_COULDNT_CONNECT: return notConnected
        case CURLE_OPERATION_TIMEDOUT: return timedOut
        case CURLE_PEER_FAILED_VERIFICATION: return untrusted
        case CURLE_SSL_CACERT_BADFILE:
            return Failure(
                .usage, "the CA bundle \(options.caBundle ?? "of the system") cannot be read",
                hint: "Does the file exist, and does it hold certificates in PEM form?")
        case CURLE_SSL_CERTPROBLEM:
            return Failure(
                .usage,
                "the client certificate \(options.clientCertificate ?? "") cannot be used",
                hint: "Does the file exist, is it in PEM form, and is the key the certificate's?")
        case CURLE_SSL_CONNECT_ERROR:
            return unavailable(
                "\(host) does not agree on an encryption", "Does the server speak TLS on this port?"
            )
        case CURLE_URL_MALFORMAT:
            return Failure(.usage, "\(host) is not a URL of a server")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return unavailable("\(host) does not answer in HTTP", "Is the port right?")
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
            CURLE_HTTP2, CURLE_HTTP2_STREAM:
            return unavailable("\(host) broke the connection off", nil)
        default:
            return Failure(
                .unavailable, "cannot talk to \(host): \(words(code))",
                code: "curl \(code.rawValue)",
                isTransient: true)
        }
    }

    private func unavailable(_ message: String, _ hint: String?) -> Failure {
        Failure(.unavailable, message, hint: hint, isTransient: true)
    }

    private var notConnected: Failure {
        switch Int32(truncatingIfNeeded: handle.long(CURLINFO_OS_ERRNO)) {
        case ECONNREFUSED:
            unavailable(
                "\(host) refuses the connection", "Does the server run, and is the port right?")
        case let code:
            unavailable(
                "\(host) cannot be reached" + (code == 0 ? "" : ": \(HTTPFailure.words(code))"),
                "Is there a way through the network from this machine?")
        }
    }

    private var timedOut: Failure {
        // Nothing has been sent before the connection stands.
        if handle.size(CURLINFO_PRETRANSFER_TIME_T) == 0 {
            return unavailable(
                "\(host) does not answer within \(options.connectLimit.components.seconds) s",
                "Is there a way through the network from this machine?")
        }
        return unavailable(
            "\(host) stalled: not a byte in \(options.stallLimit.components.seconds) s", nil)
    }

    /// By the codes of OpenSSL's verification.
    private var untrusted: Failure {
        switch handle.long(CURLINFO_SSL_VERIFYRESULT) {
        case 10:
            Failure(
                .failed, "the certificate of \(host) has expired",
                hint: "Renew it on the server. Is the clock of this machine right?")
        case 9:
            Failure(
                .failed, "the certificate of \(host) is not valid yet",
                hint: "Is the clock of this machine right?")
        // libcurl compares the names before it asks for OpenSSL's verdict, and leaves a 1.
        case 0, 1:
            Failure(
                .failed, "the certificate of \(host) is another host's",
                hint: "Use the name that the certificate has.")
        default:
            Failure(
                .failed, "the certificate of \(host) is not trusted",
                hint: "Give the certificate of its authority with --ca-bundle FILE.")
        }
    }

    private func words(_ code: CURLcode) -> String {
        HTTPFailure.lowered(curl_easy_strerror(code).map { String(cString: $0) } ?? "unknown")
    }

    private static func words(_ code: Int32) -> String {
        lowered(strerror(code).map { String(cString: $0) } ?? "unknown error")
    }

    private static func lowered(_ text: String) -> String {
        text.prefix(1).lowercased() + text.dropFirst()
    }
}
