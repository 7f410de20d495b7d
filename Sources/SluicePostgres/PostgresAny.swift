internal import SluiceCore
internal import SluiceRecords

/// Values of columns that hold more than one kind, as a jsonb of `AnyJSON`.
enum PostgresAny {
    /// A field of a binary COPY.
    static func appendField(
        _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) -> PostgresRefusal? {
        let branch = try cursor.anyBranch()
        guard branch != .null else {
            output.appendInt32(-1)
            return nil
        }
        let place = output.count
        output.appendInt32(0)
        output.append(1)
        try AnyJSON.append(branch, &cursor, to: &output)
        let count = output.count &- place &- 4
        guard count < 1 << 30 else { return .row }
        output.mutableBytes.storeBytes(
            of: Int32(truncatingIfNeeded: count).bigEndian, toByteOffset: place, as: Int32.self)
        return nil
    }
}
