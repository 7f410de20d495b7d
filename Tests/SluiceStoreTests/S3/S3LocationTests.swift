import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("The URL of an S3 store")
struct S3LocationTests {
    @Test("names bucket, prefix and options")
    func pieces() throws {
        let location = try S3Location(
            "s3://backup/db/nightly%2B1/?endpoint=http%3A%2F%2Fhost:9000/&region=eu-west-1"
                + "&style=virtual&sse=AES256&storage-class=STANDARD_IA")
        #expect(location.bucket == "backup")
        #expect(location.prefix == "db/nightly+1/")
        #expect(location.endpoint == "http://host:9000")
        #expect(location.region == "eu-west-1")
        #expect(location.encryption == "AES256")
        #expect(location.storageClass == "STANDARD_IA")
        #expect(location.bucketURL(region: "eu-west-1") == "http://backup.host:9000")
        #expect(try S3Location("s3://b?endpoint=host").endpoint == "https://host")
        #expect(try S3Location("s3://b?sse-kms-key-id=k").encryption == "aws:kms")
    }

    @Test(
        "leads to the bucket's own name at AWS, and to its path elsewhere",
        arguments: [
            ("s3://b/p", "eu-west-1", "https://b.s3.eu-west-1.amazonaws.com"),
            ("s3://b/p", "cn-north-1", "https://b.s3.cn-north-1.amazonaws.com.cn"),
            ("s3://b.c/p", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/b.c"),
            ("s3://b?style=path", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/b"),
            ("s3://b?endpoint=http://h:1", "x", "http://h:1/b"),
        ])
    func bucketURL(_ url: String, _ region: String, _ wanted: String) throws {
        #expect(try S3Location(url).bucketURL(region: region) == wanted)
    }

    @Test(
        "is refused by name where it is wrong",
        arguments: [
            ("s3:///p", "expected a bucket behind 's3://'\nhint: Write s3://bucket/prefix."),
            (
                "s3://k:secret@b/p",
                "expected a bucket behind 's3://'\nhint: Write s3://bucket/prefix."
            ),
            (
                "s3://b/%zz",
                "the store's URL has a '%' without two hexadecimal digits behind it\n"
                    + "hint: Write a percent sign as %25."
            ),
            (
                "s3://b/p?regoin=x",
                "unknown option 'regoin=' in the store's URL\nhint: Did you mean 'region='?"
            ),
            (
                "s3://b/p?xyz=x",
                "unknown option 'xyz=' in the store's URL\nhint: Known are endpoint, region, "
                    + "style, sse, sse-kms-key-id, storage-class."
            ),
            ("s3://b/p?region=", "'region=' in the store's URL has no value, or one with spaces"),
            (
                "s3://b/p?style=x",
                "unknown style 'x' in the store's URL\nhint: Write style=path or style=virtual."
            ),
            (
                "s3://b/p?endpoint=http://u:secret@h",
                "the endpoint is not the URL of a server\n"
                    + "hint: Write endpoint=https://host or endpoint=http://host:port."
            ),
            (
                "s3://b/p?endpoint=ftp://h",
                "the endpoint is not the URL of a server\n"
                    + "hint: Write endpoint=https://host or endpoint=http://host:port."
            ),
        ])
    func refused(_ url: String, _ wanted: String) {
        let found = failure { () throws(Failure) in try S3Location(url) }
        #expect(found?.description == wanted)
        #expect(found?.kind == .usage)
    }
}
