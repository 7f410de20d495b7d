import SluiceCore
import SluiceStore

/// A store in memory, for tests that look at what is written and change it.
final class MemoryStore: Store {
    let place = "memory"
    let facts = StoreFacts(hasConditionalPut: true, canList: true)
    let objects = Monitor<[String: [UInt8]]>([:])

    var keys: [String] { objects.read { $0.keys.sorted() } }

    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        let copy = Array(bytes)
        objects.change { $0[key] = copy }
    }

    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        let copy = Array(bytes)
        return objects.change { objects in
            guard objects[key] == nil else { return false }
            objects[key] = copy
            return true
        }
    }

    func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        guard let bytes = objects.read({ $0[key] }) else { return false }
        guard bytes.count <= byteLimit else {
            throw Failure(.refused, "\(key) is longer than \(byteLimit) bytes")
        }
        buffer.removeAll()
        buffer.append(bytes)
        return true
    }

    func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        guard try get(key, into: &buffer, byteLimit: .max) else { return false }
        let part = Array(buffer.bytes[range])
        buffer.removeAll()
        buffer.append(part)
        return true
    }

    func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        for key in keys where key.hasPrefix(prefix) {
            let count = objects.read { $0[key]?.count ?? 0 }
            guard try visit(StoredObject(key: key, byteCount: count)) else { return }
        }
    }

    func delete(_ key: String) throws(Failure) {
        objects.change { $0[key] = nil }
    }
}
