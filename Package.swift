// swift-tools-version: 6.2
import PackageDescription

// Arrows go down only: sluice → CLI → Engine → drivers, store → Records → Core (docs/architecture.md).
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ package: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", providers: [.apt([package])])
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "sluice",
    products: [.executable(name: "sluice", targets: ["sluice"])],
    targets: [
        .executableTarget(name: "sluice", dependencies: ["SluiceCLI"], swiftSettings: strict),
        module(
            "SluiceCLI",
            [
                "SluiceEngine", "SluicePostgres", "SluiceMySQL", "SluiceSQLite", "SluiceStore",
                "SluiceRecords", "SluiceCore", "CYAML",
            ]),
        module("SluiceEngine", ["SluiceStore", "SluiceRecords", "SluiceCore"]),
        module("SluicePostgres", ["SluiceRecords", "SluiceCore", "CPq"]),
        module("SluiceMySQL", ["SluiceRecords", "SluiceCore", "CMariaDB"]),
        module("SluiceSQLite", ["SluiceRecords", "SluiceCore", "CSQLite"]),
        module("SluiceStore", ["SluiceRecords", "SluiceCore", "CCurl"]),
        module(
            "SluiceRecords",
            ["SluiceCore", "CZstd", "CZlib", "CSnappy", "CXXHash", "CCrypto", "CAvro"]),
        module("SluiceCore"),
        library("CCurl", "libcurl4-openssl-dev"),
        library("CZstd", "libzstd-dev"),
        library("CZlib", "zlib1g-dev"),
        library("CSnappy", "libsnappy-dev"),
        library("CXXHash", "libxxhash-dev"),
        library("CCrypto", "libssl-dev"),
        library("CAvro", "libavro-dev"),
        library("CYAML", "libyaml-dev"),
        library("CSQLite", "libsqlite3-dev"),
        library("CPq", "libpq-dev"),
        library("CMariaDB", "libmariadb-dev"),
        .target(
            name: "TestSupport", dependencies: ["SluiceStore", "SluiceRecords", "SluiceCore"],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        .target(name: "AllocationCount", path: "Tests/AllocationCount"),
        tests("SluiceCoreTests", ["SluiceCore", "TestSupport"]),
        tests(
            "SluiceRecordsTests",
            [
                "SluiceRecords", "SluiceCore", "CAvro", "CCrypto", "AllocationCount",
                "TestSupport",
            ]),
        tests(
            "SluiceStoreTests",
            ["SluiceStore", "SluiceRecords", "SluiceCore", "CCrypto", "TestSupport"]),
        tests(
            "SluiceSQLiteTests",
            ["SluiceSQLite", "SluiceRecords", "SluiceCore", "CSQLite", "TestSupport"]),
        tests(
            "SluiceMySQLTests",
            ["SluiceMySQL", "SluiceRecords", "SluiceCore", "TestSupport"]),
        tests(
            "SluicePostgresTests",
            ["SluicePostgres", "SluiceRecords", "SluiceCore", "TestSupport"]),
        tests(
            "SluiceEngineTests",
            [
                "SluiceEngine", "SluiceSQLite", "SluiceStore", "SluiceRecords", "SluiceCore",
                "TestSupport",
            ]),
        tests(
            "SluiceCLITests",
            [
                "SluiceCLI", "SluiceEngine", "SluiceStore", "SluiceRecords", "SluiceCore",
                "TestSupport",
            ]),
        // The whole program as its users run it, and the repository itself (tidy).
        tests("JourneyTests", ["SluiceCore", "TestSupport"]),
    ]
)
