import Glibc
import Testing

/// What people run, as far as it can be tried without building everything.
@Suite("Scripts explain what is missing")
struct TidyScriptsTests {
    private let scripts = TidyRepository.topPath + "/scripts"
    private static let serversUsage =
        "usage: scripts/servers [--only KINDS] COMMAND [ARGUMENT ...], KINDS in this order: "
        + "stores,postgres,standby,mariadb,replica\n"

    @Test("setup says where to get Swift when there is none")
    func noSwift() {
        let tools = "$(dirname \"$(command -v dirname)\")"
        let result = shell(
            """
            bin=$(mktemp -d); ln -s "\(tools)/dirname" "\(tools)/env" $bin/
            ln -s "$(command -v bash)" $bin/bash; cd /; PATH=$bin '\(scripts)/setup'; code=$?
            rm -r $bin; exit $code
            """)
        #expect(
            result.output == """
                sluice is built with Swift 6.2 or newer, and there is no swift in PATH: \
                see https://www.swift.org/install/linux/debian

                """)
        #expect(result.code == 1)
    }

    @Test("setup names a Swift that is too old", arguments: [("5.10.1", "5.10"), ("6.1", "6.1")])
    func oldSwift(_ version: String, _ shown: String) {
        let result = shell(
            """
            bin=$(mktemp -d); printf '#!/bin/sh\\necho Swift version \(version)\\n' > $bin/swift
            chmod +x $bin/swift; cd /; PATH=$bin:$PATH '\(scripts)/setup'; code=$?
            rm -r $bin; exit $code
            """)
        #expect(
            result.output == """
                sluice is built with Swift 6.2 or newer, and swift in PATH is \(shown): \
                see https://www.swift.org/install/linux/debian

                """)
        #expect(result.code == 1)
    }

    @Test(
        "a wrong argument gets the usage and exit code 2",
        arguments: [
            ("setup --tset", "usage: scripts/setup [--test]\n"),
            ("format --fix", "usage: scripts/format [--check]\n"),
            ("bench many", "usage: scripts/bench [ROWS] | stores … | postgres … | mysql …\n"),
            ("bench-postgres many", "usage: scripts/bench-postgres [SCALE [ROUNDS]]\n"),
            ("bench-mysql many", "usage: scripts/bench-mysql [SCALE [ROUNDS]]\n"),
            ("bench-stores many", "usage: scripts/bench-stores [MIB [LANES]]\n"),
            ("servers --start", serversUsage), ("servers --only oracle true", serversUsage),
            ("servers --only standby true", serversUsage),
        ])
    func usage(_ command: String, _ expected: String) {
        let result = shell("cd / && \(scripts)/\(command)")
        #expect(result.output == expected)
        #expect(result.code == 2)
    }

    @Test("bash reads every script without a complaint")
    func syntax() {
        let result = shell(
            "for script in '\(scripts)'/* '\(scripts)'/*/*; do case $script in *.txt | *.d) ;; *) bash -n $script ;; esac; done"
        )
        #expect(result.output == "")
        #expect(result.code == 0)
    }

    /// Both streams of a command and its exit code.
    private func shell(_ command: String) -> (output: String, code: Int32) {
        guard let stream = popen("exec 2>&1; \(command)", "r") else { return ("no shell", -1) }
        var output: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&block, 1, block.count, stream)
            if count == 0 { break }
            output += block[..<count]
        }
        let status = pclose(stream)
        return (String(decoding: output, as: UTF8.self), status >> 8 & 0xFF)
    }
}
