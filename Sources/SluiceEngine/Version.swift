/// This program's own version, as people see it and datasets carry it.
public enum Version {
    public static let text = "0.1.0"
}
