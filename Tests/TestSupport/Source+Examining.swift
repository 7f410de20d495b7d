public import SluiceRecords

extension Source {
    /// What `doctor` finds where the window does not matter.
    public func examine() -> [Finding] { examine(window: .seconds(86_400)) }
}
