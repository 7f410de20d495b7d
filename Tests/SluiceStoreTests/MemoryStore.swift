import SluiceCore
import Synchronization

@testable import SluiceStore

/// A store in memory: what the contract means, in as few lines as possible.
final class MemoryStore: Store {
    let place = "memory"
    let facts = StoreFacts(hasConditionalPut: true, canList: true)
    private let objects = Mutex<[String: [UInt8]]>([:])

    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        _ = try StoreKey(key)
        objects.withLock { $0[key] = Array(bytes) }
    }

    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        _ = try StoreKey(key)
        return objects.withLock { objects in
            guard objects[key] == nil else { return false }
            objects[key] = Array(bytes)
            return true
        }
    }

    func get(_ key: String, into buffer: inout ByteBuffer, byteLimit: Int) throws(Failure) -> Bool {
        _ = try StoreKey(key)
        buffer.removeAll()
        guard let bytes = objects.withLock({ $0[key] }) else { return false }
        guard bytes.count <= byteLimit else {
            throw StoreFailure.tooLong("\(place)/\(key)", bytes.count, byteLimit)
        }
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
        _ = try StorePrefix(prefix)
        let found = objects.withLock { objects in
            objects.filter { $0.key.utf8.starts(with: prefix.utf8) }
                .map { StoredObject(key: $0.key, byteCount: $0.value.count) }
        }
        let sorted = found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for object in sorted {
            guard try visit(object) else { return }
        }
    }

    func delete(_ key: String) throws(Failure) {
        _ = try StoreKey(key)
        objects.withLock { _ = $0.removeValue(forKey: key) }
    }
}
