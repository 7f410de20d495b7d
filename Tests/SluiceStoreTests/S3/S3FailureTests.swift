import SluiceCore
import Testing

@testable import SluiceStore

@Suite("What an S3 store says")
struct S3FailureTests {
    private static func failure(
        _ status: Int, _ code: String?, _ members: String = "", headers: [HTTPHeader] = [],
        verb: S3Failure.Verb = .write
    ) -> Failure {
        let failures = S3Failure(
            place: "s3://b/p/k", bucket: "b", host: "https://h", region: "us-east-1",
            origin: "AWS_ACCESS_KEY_ID", verb: verb)
        var body = ByteBuffer()
        if let code {
            body.append("<Error><Code>\(code)</Code><Message>m</Message>\(members)</Error>")
        }
        return failures.make(HTTPAnswer(status: status, headers: headers), body.bytes)
    }

    @Test(
        "names the cause and the remedy of what lasts",
        arguments: [
            (
                failure(403, "InvalidAccessKeyId"),
                """
                https://h does not know the access key from AWS_ACCESS_KEY_ID [InvalidAccessKeyId]
                hint: Are these the credentials of this store?
                """
            ),
            (
                failure(403, "SignatureDoesNotMatch"),
                """
                the secret from AWS_ACCESS_KEY_ID does not belong to its access key \
                [SignatureDoesNotMatch]
                hint: Was the secret copied whole?
                """
            ),
            (
                failure(400, "InvalidToken"),
                """
                https://h does not take the session token from AWS_ACCESS_KEY_ID [InvalidToken]
                hint: Fetch new credentials.
                """
            ),
            (
                failure(403, "AccessDenied"),
                """
                the access key from AWS_ACCESS_KEY_ID may not write s3://b/p/k [AccessDenied]
                hint: Give it the right s3:PutObject, or use another key.
                """
            ),
            (
                failure(403, nil, verb: .read),
                """
                the access key from AWS_ACCESS_KEY_ID may not read s3://b/p/k
                hint: Give it the right s3:GetObject, or use another key.
                """
            ),
            (
                failure(403, "AccessDenied", verb: .list),
                """
                the access key from AWS_ACCESS_KEY_ID may not list s3://b/p/k [AccessDenied]
                hint: Give it the right s3:ListBucket, or use another key.
                """
            ),
            (
                failure(403, "AccessDenied", verb: .delete),
                """
                the access key from AWS_ACCESS_KEY_ID may not delete s3://b/p/k [AccessDenied]
                hint: Give it the right s3:DeleteObject, or use another key.
                """
            ),
            (
                failure(404, "NoSuchBucket"),
                """
                there is no bucket b at https://h [NoSuchBucket]
                hint: Make the bucket first, or correct the store's URL.
                """
            ),
            (
                failure(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
                """
                the bucket b is in the region eu-west-1, not in us-east-1 \
                [AuthorizationHeaderMalformed]
                hint: Write region=eu-west-1 in the store's URL.
                """
            ),
            (
                failure(301, nil, headers: [HTTPHeader("x-amz-bucket-region", "eu-west-1")]),
                """
                the bucket b is in the region eu-west-1, not in us-east-1
                hint: Write region=eu-west-1 in the store's URL.
                """
            ),
            (
                failure(403, "RequestTimeTooSkewed"),
                """
                the clock of this machine is too far from https://h [RequestTimeTooSkewed]
                hint: Set the clock; a signature is good for a few minutes only.
                """
            ),
            (
                failure(403, "InvalidObjectState"),
                """
                s3://b/p/k is in an archive [InvalidObjectState]
                hint: Restore it first, and choose a storage class that can be read at once.
                """
            ),
            (
                failure(400, "InvalidStorageClass"),
                """
                https://h refuses to write s3://b/p/k [InvalidStorageClass]
                hint: Does the server speak S3, and does it know every option in the store's URL?
                """
            ),
            (
                failure(418, nil),
                """
                https://h refuses to write s3://b/p/k [418]
                hint: Does the server speak S3, and does it know every option in the store's URL?
                """
            ),
        ])
    func lasting(_ failure: Failure, _ wanted: String) {
        #expect(failure.description == wanted)
        #expect(!failure.isTransient)
    }

    @Test(
        "knows what may be over in a moment",
        arguments: [
            (
                failure(503, "SlowDown", headers: [HTTPHeader("Retry-After", "7")]),
                "https://h asks for fewer requests [SlowDown]\n"
                    + "hint: Use fewer --lanes if this goes on.", 7
            ),
            (
                failure(429, nil, headers: [HTTPHeader("Retry-After", "3")]),
                "https://h asks for fewer requests [429]\n"
                    + "hint: Use fewer --lanes if this goes on.", 3
            ),
            (
                failure(500, "InternalError"),
                "https://h cannot write s3://b/p/k now [InternalError]", nil
            ),
            (failure(502, nil), "https://h cannot write s3://b/p/k now [502]", nil),
            (
                failure(400, "RequestTimeout"),
                "https://h cannot write s3://b/p/k now [RequestTimeout]", nil
            ),
            (
                failure(400, "BadDigest"), "s3://b/p/k did not arrive as it was sent [BadDigest]",
                nil
            ),
            (
                failure(409, "ConditionalRequestConflict"),
                "s3://b/p/k is being written by somebody else [ConditionalRequestConflict]", nil
            ),
            (
                failure(400, "ExpiredToken"),
                "the credentials from AWS_ACCESS_KEY_ID have ended [ExpiredToken]\n"
                    + "hint: Fetch new credentials, then run the same command again.", nil
            ),
        ] as [(Failure, String, Int?)])
    func passing(_ failure: Failure, _ wanted: String, _ pause: Int?) {
        #expect(failure.description == wanted)
        #expect(failure.isTransient)
        #expect(failure.retryAfter == pause.map { .seconds($0) })
    }

    @Test("tells how far the clock is off")
    func clock() {
        let failure = Self.failure(
            403, "RequestTimeTooSkewed",
            headers: [HTTPHeader("Date", "Sun, 06 Nov 1994 08:49:37 GMT")])
        #expect(failure.message.hasPrefix("the clock of this machine is "))
        #expect(failure.message.hasSuffix(" s ahead of https://h"))
    }

    @Test("repeats no more of an answer than a word")
    func words() {
        #expect(Self.failure(400, "a b\u{1b}[31m").code == "Error")
        #expect(Self.failure(400, String(repeating: "x", count: 65)).code == "Error")
    }
}
