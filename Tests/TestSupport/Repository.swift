/// The files of the repository that these tests belong to.
public enum Repository {
    public static let path =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    /// Where `fixtures/` has a file.
    public static func fixture(_ name: String) -> String { "\(path)/fixtures/\(name)" }

    public static func text(_ name: String) throws -> String {
        String(decoding: try FileBytes.read("\(path)/\(name)"), as: UTF8.self)
    }
}
