/// Where credentials may be asked for.
enum CredentialURL {
    /// The hosts that may be asked without encryption: this machine, and what ECS and EKS answer
    /// at.
    private static let plainHosts = [
        "localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
    ]

    /// The host with its port; nothing where a secret may not go.
    static func host(of url: String) -> String? {
        for (scheme, isPlain) in [("https://", false), ("http://", true)]
        where url.utf8.starts(with: scheme.utf8) {
            let rest = url.dropFirst(scheme.utf8.count)
            let authority = String(Substring(rest.utf8.prefix { !Array("/?#".utf8).contains($0) }))
            guard !authority.isEmpty, !authority.utf8.contains(UInt8(ascii: "@")) else {
                return nil
            }
            return isPlain && !isNear(authority) ? nil : authority
        }
        return nil
    }

    private static func isNear(_ authority: String) -> Bool {
        var host = authority.utf8[...]
        if let colon = host.lastIndex(of: UInt8(ascii: ":")), host.last != UInt8(ascii: "]") {
            host = host[..<colon]
        }
        let name = String(Substring(host)).lowercased()
        if plainHosts.contains(name) { return true }
        // 127.0.0.0/8, by numbers only: 127.example.com is somebody else.
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
