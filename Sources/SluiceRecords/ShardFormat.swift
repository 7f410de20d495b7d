/// How a shard's records are written.
public struct ShardFormat: Hashable, Sendable {
    public enum Rendering: String, Sendable, CaseIterable {
        case avro
        case csv
    }

    /// `none` is Avro's codec null.
    public enum Codec: String, Sendable, CaseIterable {
        case zstandard
        case deflate
        case snappy
        case none
    }

    public let rendering: Rendering
    public let codec: Codec

    /// CSV takes zstandard or none; whoever builds one from options checks that first.
    public init(_ rendering: Rendering, _ codec: Codec) {
        precondition(
            rendering == .avro || codec == .zstandard || codec == .none,
            "CSV is written plain or with zstandard")
        self.rendering = rendering
        self.codec = codec
    }

    /// The end of a shard's key, with the dot.
    public var suffix: String {
        switch (rendering, codec) {
        case (.avro, _): ".avro"
        case (.csv, .zstandard): ".csv.zst"
        case (.csv, _): ".csv"
        }
    }
}
