import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("An emulator of Google Cloud Storage")
struct GCSServerTests {
    @Test("says that there is no such bucket")
    func noBucket() throws {
        let store = try StoreOpener.open(
            "gs://absent/a?endpoint=\(try RealServer.gcs.address)")
        let found = failure { () throws(Failure) in try store.put([1], at: "k") }
        #expect(
            found?.description == """
                there is no bucket gs://absent [404]
                hint: Create the bucket, or correct its name in the URL.
                """)
    }

    @Test("gives what was put to plain downloads too")
    func plainDownload() throws {
        let store = try RealServer.gcs.open(RealServer.newPrefix())
        let path = store.place.dropFirst("gs://sluice/".count)
        let endpoint = try RealServer.gcs.address
        for count in [1, 70_000] {
            let bytes = pattern(count)
            try store.put(bytes, at: "data/t%41/\(count)")
            // By the path of plain downloads, which is not the JSON API.
            let client = HTTPClient()
            var buffer = ByteBuffer()
            let url = "\(endpoint)/sluice/\(path)/data/t%2541/\(count)"
            let answer = try client.send(HTTPRequest(method: "GET", url: url), into: &buffer)
            #expect(answer.status == 200)
            #expect(buffer.array() == bytes)
        }
    }

    @Test("does not know conditions, which is found out with the first create")
    func conditions() throws {
        let store = try RealServer.gcs.open(RealServer.newPrefix())
        #expect(try store.create([1], at: "a"))
        #expect(store.facts == StoreFacts(hasConditionalPut: false, canList: true))
        #expect(try !store.create([2], at: "a"))
    }
}
