internal import Glibc
internal import SluiceCore

/// The settings among the environment's variables.
enum Environment {
    /// Every variable whose name begins with `SLUICE_`, in the order of names.
    static func variables() -> [(name: String, value: [UInt8])] {
        var found: [(name: String, value: [UInt8])] = []
        var place = environ
        while let entry = place.pointee {
            let bytes = UnsafeRawBufferPointer(start: entry, count: strlen(entry))
            if bytes.starts(with: "SLUICE_".utf8),
                let equals = bytes.firstIndex(of: UInt8(ascii: "="))
            {
                found.append(
                    (
                        name: String(decoding: bytes[..<equals], as: UTF8.self),
                        value: Array(bytes[(equals + 1)...])
                    ))
            }
            place += 1
        }
        return found.sorted { $0.name < $1.name }
    }

    /// What they set; unknown names only warn, because they may belong to another version of
    /// sluice.
    static func read(
        _ variables: [(name: String, value: [UInt8])]
    ) throws(Failure) -> (given: [Option: Given], warnings: [String]) {
        var given: [Option: Given] = [:]
        var warnings: [String] = []
        for (name, value) in variables where !name.hasPrefix("SLUICE_TEST_") {
            guard let option = Option.all.first(where: { $0.environmentName == name }) else {
                // Without the prefix, which would make everything look alike.
                let nearest = Suggestion.nearest(
                    to: String(name.dropFirst(7)),
                    among: Option.all.map { String($0.environmentName.dropFirst(7)) })
                warnings.append(
                    "unknown environment variable \(Redaction.shown(name))"
                        + (nearest.map { "; did you mean SLUICE_\($0)?" } ?? ""))
                continue
            }
            // An empty variable is how a shell says "not set".
            if value.isEmpty { continue }
            guard let text = String(validating: value, as: UTF8.self) else {
                throw Failure(.usage, "\(name) is not valid UTF-8")
            }
            given[option] = try option.value(of: text, from: .environment)
        }
        return (given, warnings)
    }
}
