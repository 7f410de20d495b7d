import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("AWS credentials")
struct AWSCredentialTests {
    private static let hint =
        "hint: Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile by AWS_PROFILE."

    private func find(
        _ variables: [String: String], home: String? = "/nonexistent",
        _ sender: FakeSender = FakeSender()
    ) throws(Failure) -> AWSCredentials {
        try AWSCredentialChain(sender: sender, surroundings: surroundings(variables, home: home))
            .current()
    }

    private func refusal(
        _ variables: [String: String], home: String? = "/nonexistent",
        _ sender: FakeSender = FakeSender()
    ) -> String? {
        failure { () throws(Failure) in try find(variables, home: home, sender) }?.description
    }

    /// A home with both files.
    private func home(_ credentials: String?, _ config: String? = nil) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.makeFolder(".aws")
        if let credentials { try scratch.write(credentials, to: ".aws/credentials") }
        if let config { try scratch.write(config, to: ".aws/config") }
        return scratch
    }

    @Test("come from the environment first")
    func environment() throws {
        let keys = ["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s3cret"]
        let found = try find(keys)
        #expect(
            found
                == AWSCredentials(keyID: "AKIA", secret: "s3cret", origin: "AWS_ACCESS_KEY_ID"))
        #expect(
            try find(keys.merging(["AWS_SESSION_TOKEN": "t0ken"]) { $1 }).sessionToken == "t0ken")
        #expect(
            found.signature(region: "eu-west-1", service: "s3")
                == HTTPSignature(
                    region: "eu-west-1", service: "s3", keyID: "AKIA", secret: "s3cret"))
        #expect("\(found)" == "AWS credentials from AWS_ACCESS_KEY_ID")
        var dumped = ""
        dump(found, to: &dumped)
        #expect(!dumped.contains("s3cret"))
        #expect(
            refusal(["AWS_ACCESS_KEY_ID": "AKIA"]) == """
                AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not
                hint: Set both or neither.
                """)
        #expect(
            refusal(["AWS_SECRET_ACCESS_KEY": "s3cret"]) == """
                AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not
                hint: Set both or neither.
                """)
    }

    @Test("name every place where there were none")
    func nowhere() throws {
        #expect(
            refusal([:]) == """
                no AWS credentials were found: AWS_ACCESS_KEY_ID is not set; \
                /nonexistent/.aws/credentials is not there; /nonexistent/.aws/config is not there; \
                no container endpoint is set; \
                the instance metadata service at http://169.254.169.254 does not answer
                \(Self.hint)
                """)
        let scratch = try home("[other]\naws_access_key_id=a", "[default]\nregion=x")
        #expect(
            refusal(["AWS_EC2_METADATA_DISABLED": "true"], home: scratch.path) == """
                no AWS credentials were found: AWS_ACCESS_KEY_ID is not set; \
                \(scratch.path)/.aws/credentials has no keys for profile 'default'; \
                \(scratch.path)/.aws/config has no keys for profile 'default'; \
                no container endpoint is set; AWS_EC2_METADATA_DISABLED is set
                \(Self.hint)
                """)
    }

    @Test("come from a profile in either file, the credentials file first")
    func profiles() throws {
        let scratch = try home(
            """
            [default]
            aws_access_key_id = AKIA1
            aws_secret_access_key = s1
            [both]
            aws_access_key_id = AKIA2
            aws_secret_access_key = s2
            aws_session_token = t2
            region = us-west-2
            """,
            """
            [default]
            region = eu-central-1
            [profile both]
            aws_access_key_id = AKIA3
            aws_secret_access_key = s3
            region = eu-west-1
            [profile config]
            aws_access_key_id = AKIA4
            aws_secret_access_key = s4
            region = eu-west-3
            """)
        let path = scratch.path
        let origin = "profile 'both' in \(path)/.aws/credentials"
        #expect(try find([:], home: path).keyID == "AKIA1")
        #expect(
            try find(["AWS_PROFILE": "both"], home: path)
                == AWSCredentials(
                    keyID: "AKIA2", secret: "s2", sessionToken: "t2", origin: origin))
        #expect(try find(["AWS_DEFAULT_PROFILE": "config"], home: path).keyID == "AKIA4")
        func region(_ variables: [String: String]) throws(Failure) -> String? {
            try AWSCredentialChain(
                sender: FakeSender(), surroundings: surroundings(variables, home: path)
            ).region()
        }
        #expect(try region([:]) == "eu-central-1")
        #expect(try region(["AWS_PROFILE": "both"]) == "us-west-2")
        #expect(try region(["AWS_PROFILE": "config"]) == "eu-west-3")
        #expect(try region(["AWS_DEFAULT_REGION": "a"]) == "a")
        #expect(try region(["AWS_DEFAULT_REGION": "a", "AWS_REGION": "b"]) == "b")
        #expect(
            try find(
                [
                    "AWS_SHARED_CREDENTIALS_FILE": "\(path)/.aws/credentials",
                    "AWS_CONFIG_FILE": "~/none",
                ]
            ).keyID == "AKIA1")
    }

    @Test("are refused by a profile that is missing, half or asks for a role")
    func badProfiles() throws {
        let scratch = try home(
            "[half]\naws_access_key_id=AKIA\n[other]\naws_secret_access_key=s3cret",
            """
            [profile role]
            role_arn = arn:aws:iam::1:role/x
            [profile sso]
            sso_session = x
            """)
        let path = scratch.path
        #expect(
            refusal(["AWS_PROFILE": "none"], home: path) == """
                there is no AWS profile 'none' in \(path)/.aws/credentials or \(path)/.aws/config
                hint: Correct AWS_PROFILE, or add the profile.
                """)
        #expect(
            refusal(["AWS_PROFILE": "half"], home: path) == """
                profile 'half' in \(path)/.aws/credentials has no aws_secret_access_key
                hint: A profile needs both aws_access_key_id and aws_secret_access_key.
                """)
        #expect(
            refusal(["AWS_PROFILE": "other"], home: path) == """
                profile 'other' in \(path)/.aws/credentials has no aws_access_key_id
                hint: A profile needs both aws_access_key_id and aws_secret_access_key.
                """)
        for (name, what) in [("role", "assumes a role"), ("sso", "signs on by a browser")] {
            #expect(
                refusal(["AWS_PROFILE": name], home: path) == """
                    AWS profile '\(name)' \(what), which sluice does not do by itself
                    hint: Let another profile have credential_process = aws configure \
                    export-credentials --profile \(name), and name that one by AWS_PROFILE.
                    """)
        }
        #expect(
            refusal(["AWS_WEB_IDENTITY_TOKEN_FILE": "/x"], home: path) == """
                AWS_WEB_IDENTITY_TOKEN_FILE is set, but sluice assumes no role by web identity
                hint: Let a profile have credential_process = aws configure export-credentials, \
                or unset the variable.
                """)
    }

    @Test("come from a profile's command")
    func command() throws {
        let scratch = try home(
            nil,
            """
            [default]
            credential_process = echo '{"Version":1,\
            "AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"t",\
            "Expiration":"2030-01-01T00:00:00Z"}'
            [profile old]
            credential_process = echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s3cret",\
            "Expiration":"2020-01-01T00:00:00Z"}'
            [profile fails]
            credential_process = exit 9
            [profile text]
            credential_process = echo s3cret
            [profile version]
            credential_process = echo '{"Version":2}'
            [profile keyless]
            credential_process = echo '{"Version":1,"AccessKeyId":"A"}'
            [profile line]
            credential_process = echo '{"Version":1,"AccessKeyId":"A\\u0020","SecretAccessKey":"s"}'
            [profile time]
            credential_process = echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s",\
            "Expiration":"later"}'
            """)
        #expect(
            try find([:], home: scratch.path)
                == AWSCredentials(
                    keyID: "AKIA", secret: "s", sessionToken: "t", expiry: 1_893_456_000,
                    origin: "the credential_process of profile 'default'"))
        let hint =
            "\nhint: Run the command by itself and compare its output with the AWS documentation "
            + "of credential_process."
        for (name, what) in [
            (
                "old",
                "gave AWS credentials that ended at 2020-01-01T00:00:00Z\nhint: Is the clock of "
                    + "this machine right?"
            ),
            ("fails", "ended with status 9\nhint: Run the command by itself to see why."),
            ("text", "did not give JSON: unexpected text at byte 0 of the JSON text" + hint),
            ("version", "did not give \"Version\": 1" + hint),
            ("keyless", "did not give \"SecretAccessKey\"" + hint),
            ("line", "gave a \"AccessKeyId\" that is not printable ASCII" + hint),
            ("time", "gave an \"Expiration\" that is not a time" + hint),
        ] {
            #expect(
                refusal(["AWS_PROFILE": name], home: scratch.path)
                    == "the credential_process of profile '\(name)' \(what)")
        }
    }
}
