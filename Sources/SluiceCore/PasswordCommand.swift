/// Passwords that a command of the user's prints.
public enum PasswordCommand {
    /// The first line of what it prints. The command itself is never shown: it may hold a secret.
    public static func read(from command: String, stop: StopSignal) throws(Failure) -> String {
        let program = ChildProgram("/bin/sh", ["-c", command], byteLimit: 64 << 10)
        let result = try program.run(stop: stop)
        guard result.status == 0 else {
            throw Failure(
                .failed, "the password command failed",
                hint: "Run the command by itself to see why.")
        }
        let line = result.output.prefix { $0 != 0x0A && $0 != 0x0D && $0 != 0 }
        guard !line.isEmpty, let password = String(validating: line, as: UTF8.self) else {
            throw Failure(
                .failed, "the password command printed no password",
                hint: "The first line of its output is taken.")
        }
        return password
    }
}
