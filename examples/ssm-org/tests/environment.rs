//! Settings and credentials of the AWS environment. No call leaves this machine.

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};
    use std::fs;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::process::{Command, Output, Stdio};
    use std::sync::Arc;
    use std::thread;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use serde_json::Value;
    use tempfile::TempDir;

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

    /// Certificate of an authority that no server uses.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBnDCCAUGgAwIBAgIUHFufS3wqbC41DdGlgPSf663VU1EwCgYIKoZIzj0EAwIw\n\
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTEwMTYwMloYDzIxMjYxMTA1\n\
        MTAxNjAyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n\
        PQMBBwNCAAQ6LL1/0yIgpvCkEdfI5BdErT7vwF4pWtAZUlAbwxNs2tI2OMkKvSNL\n\
        5tg8dFHwINVDM3/JaD7lJnGaygzwOuYBo28wbTAdBgNVHQ4EFgQUD7QxEYG+z0FB\n\
        95ybz5jMEBR1Gm8wHwYDVR0jBBgwFoAUD7QxEYG+z0FB95ybz5jMEBR1Gm8wDwYD\n\
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI\n\
        zj0EAwIDSQAwRgIhAPsPRsKo+0JA/7Rv9/eNQkgp7Ko7pi0cWU9dj9kACeK2AiEA\n\
        1it5y6b6XwPexhITmIJCKi8Pyh1i5QepfzHYxHz8xW4=\n\
        -----END CERTIFICATE-----\n";

    /// Environment of a run, and its directory as the home directory.
    struct Environment {
        home: TempDir,
        variables: Vec<(OsString, OsString)>,
    }

    impl Environment {
        /// An environment without credentials whose calls end at a closed port.
        fn new() -> Self {
            let home = TempDir::new().unwrap();
            fs::create_dir(home.path().join(".aws")).unwrap();
            let none = Self { variables: Vec::new(), home };
            let home = none.home.path().to_str().unwrap().to_owned();
            none.set("HOME", &home)
                .set("PATH", "/usr/bin:/bin")
                .set("AWS_EC2_METADATA_DISABLED", "true")
                .set("AWS_REGION", "us-east-1")
                .set("AWS_MAX_ATTEMPTS", "1")
                .set("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        }

        fn with_keys() -> Self {
            KEYS.iter().fold(Self::new(), |environment, (name, value)| environment.set(name, value))
        }

        /// An environment with this profile `p`.
        fn with_profile(contents: &str) -> Self {
            Self::with_config(format!("[profile p]\n{contents}\n").as_bytes())
        }

        fn with_config(contents: &[u8]) -> Self {
            let environment = Self::new();
            fs::write(environment.home.path().join(".aws/config"), contents).unwrap();
            environment
        }

        fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
            self.variables.retain(|(other, _)| other != name);
            self.variables.push((name.into(), value.as_ref().to_owned()));
            self
        }

        fn run(&self, arguments: &[&str]) -> Output {
            Command::new(env!("CARGO_BIN_EXE_ssm-org"))
                .args(arguments)
                .env_clear()
                .envs(self.variables.iter().cloned())
                .stdin(Stdio::null())
                .output()
                .unwrap()
        }

        /// Asserts that the command ends before any call, with these parts in the message.
        fn is_bad_usage(&self, arguments: &[&str], parts: &[&str]) {
            let text = self.run(arguments);
            let stderr = String::from_utf8_lossy(&text.stderr);
            assert_eq!(text.status.code(), Some(2), "{parts:?}: {stderr}");
            let json = self.run(&[arguments, &["--json"]].concat());
            assert_eq!(json.status.code(), Some(2), "{parts:?}: {stderr}");
            let object: Value = serde_json::from_slice(&json.stdout).unwrap();
            assert_eq!(object["error"]["kind"], "usage");
            let message = object["error"]["message"].as_str().unwrap();
            for part in parts {
                assert!(stderr.contains(part) && message.contains(part), "{part}: {stderr}{message}");
            }
        }

        /// Asserts that the command fails with status 1, with these parts in the message.
        fn fails(&self, arguments: &[&str], parts: &[&str]) -> String {
            let output = self.run(arguments);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{parts:?}: {stderr}");
            for part in parts {
                assert!(stderr.contains(part), "{part}: {stderr}");
            }
            stderr
        }
    }

    #[test]
    fn status_with_invalid_variable_names_the_variable() {
        let directory = TempDir::new().unwrap();
        let text = directory.path().join("text");
        fs::write(&text, "no certificate").unwrap();
        let damaged = directory.path().join("damaged");
        fs::write(&damaged, CERTIFICATE.replace("MII", "AAA")).unwrap();
        let (directory, text, damaged) = (directory.path(), text.to_str().unwrap(), damaged.to_str().unwrap());
        let cases: &[(&str, &[&str])] = &[
            ("AWS_MAX_ATTEMPTS", &["", "0", "-1", "1.5", "x", " 3", "4294967296"]),
            ("AWS_RETRY_MODE", &["", "fast", "standard adaptive"]),
            ("AWS_REGION", &["EU", "us-east-1\n", "us east 1"]),
            ("AWS_DEFAULT_REGION", &["EU", "ä"]),
            ("AWS_USE_FIPS_ENDPOINT", &["yes", "1"]),
            ("AWS_USE_DUALSTACK_ENDPOINT", &["on"]),
            (
                "AWS_ENDPOINT_URL",
                &["", "x", "localhost:5000", "http://", "/path", "http://a b", "http://h:1x", "ftp://h"],
            ),
            ("AWS_ENDPOINT_URL_ORGANIZATIONS", &["x"]),
            ("AWS_ENDPOINT_URL_SSM", &["x"]),
            ("AWS_ENDPOINT_URL_IAM", &["x"]),
            ("AWS_ENDPOINT_URL_STS", &["", "x"]),
            ("AWS_ENDPOINT_URL_SSO_OIDC", &["x"]),
            ("AWS_ACCESS_KEY_ID", &["test\n", "te st", "t\u{e4}st", "te\u{1b}st"]),
            ("AWS_SECRET_ACCESS_KEY", &["test\r\n", "te st", "t\u{e4}st"]),
            ("AWS_SESSION_TOKEN", &["te\nst", "t\u{e4}st"]),
            ("AWS_PROFILE", &["missing", "a\u{1b}[31m"]),
            ("AWS_CA_BUNDLE", &["/does/not/exist", "/dev/null", directory.to_str().unwrap(), text, damaged]),
            ("SSL_CERT_FILE", &["/does/not/exist", "/dev/null", text, damaged]),
        ];
        for (name, values) in cases {
            for value in *values {
                Environment::with_keys().set(name, value).is_bad_usage(&["status"], &[name]);
            }
        }
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            Environment::new().set(name, "test").is_bad_usage(&["status"], &KEYS.map(|(name, _)| name));
        }
        for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            let path = directory.to_str().unwrap();
            Environment::with_keys().set(name, path).is_bad_usage(&["status"], &[path, "not a regular file"]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn status_with_variable_not_in_utf8_names_the_variable() {
        use std::os::unix::ffi::OsStrExt as _;

        let value = OsStr::from_bytes(b"a\xff");
        for name in ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "AWS_MAX_ATTEMPTS", "AWS_ENDPOINT_URL"] {
            Environment::with_keys().set(name, value).is_bad_usage(&["status"], &[name, "UTF-8"]);
        }
    }

    #[test]
    fn status_with_usual_variables_calls_aws() {
        let home = TempDir::new().unwrap();
        let bundle = home.path().join("bundle.pem");
        fs::write(&bundle, CERTIFICATE).unwrap();
        let cases = [
            ("AWS_RETRY_MODE", "legacy"),
            ("AWS_RETRY_MODE", " LEGACY "),
            ("AWS_RETRY_MODE", "adaptive"),
            ("AWS_SESSION_TOKEN", "token\n"),
            ("AWS_SESSION_TOKEN", ""),
            ("AWS_PROFILE", ""),
            ("AWS_PROFILE", "default"),
            ("AWS_DEFAULT_REGION", ""),
            ("AWS_USE_FIPS_ENDPOINT", "False"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_CONFIG_FILE", "/does/not/exist"),
            ("AWS_CA_BUNDLE", bundle.to_str().unwrap()),
            ("AWS_CA_BUNDLE", ""),
            ("SSL_CERT_FILE", bundle.to_str().unwrap()),
            ("AWS_SDK_UA_APP_ID", "a b\u{e4}"),
            ("AWS_EXECUTION_ENV", "a\u{e4}"),
            ("AWS_DEFAULTS_MODE", "x"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "x"),
            ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "x"),
            ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "x"),
            ("AWS_REQUEST_CHECKSUM_CALCULATION", "x"),
            ("AWS_DISABLE_REQUEST_COMPRESSION", "x"),
            ("AWS_AUTH_SCHEME_PREFERENCE", "x,,"),
            ("AWS_SIGV4A_SIGNING_REGION_SET", "\u{e4}"),
            ("AWS_NEW_RETRIES_2026", "true"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "x"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "x"),
            ("HTTPS_PROXY", "x y"),
            ("HTTP_PROXY", "\u{e4}:"),
        ];
        for (name, value) in cases {
            let environment = Environment::with_keys().set(name, value);
            let stderr = environment.fails(&["status"], &["error: "]);
            let called = stderr.starts_with("error: DescribeOrganization");
            assert!(called && !stderr.contains("internal error"), "{name}={value}: {stderr}");
        }
    }

    #[test]
    fn status_with_invalid_profile_names_the_setting() {
        let cases = [
            ("retry_mode = fast", "retry_mode"),
            ("max_attempts = 0", "max_attempts"),
            ("max_attempts =", "max_attempts"),
            ("region = EU", "region"),
            ("endpoint_url = localhost:5000", "endpoint_url"),
            ("use_fips_endpoint = yes", "use_fips_endpoint"),
            ("ca_bundle = /does/not/exist\naws_access_key_id = a\naws_secret_access_key = b", "ca_bundle"),
            (
                "services = s\naws_access_key_id = a\naws_secret_access_key = b\n[services s]\nsts =\n  endpoint_url = x",
                "endpoint_url of STS",
            ),
            ("output = json", "has no credentials"),
            ("aws_access_key_id = test", "not aws_secret_access_key"),
            ("aws_secret_access_key = test", "not aws_access_key_id"),
            ("aws_access_key_id = te\n  st\naws_secret_access_key = test", "aws_access_key_id"),
            ("aws_access_key_id = t\u{e4}st\naws_secret_access_key = test", "aws_access_key_id"),
            ("role_arn = arn:aws:iam::222222222222:role/r", "neither source_profile"),
            ("role_arn = r\nsource_profile = missing", "`missing` does not exist"),
            (
                "role_arn = r\nsource_profile = q\n[profile q]\nrole_arn = r\nsource_profile = p",
                "refer to each other: p, q, p",
            ),
            (
                "role_arn = r\nsource_profile = q\n[profile q]\naws_access_key_id = x",
                "profile `q` has aws_access_key_id",
            ),
            ("role_arn = r\nsource_profile = q\ncredential_source = Environment", "both source_profile"),
            ("login_session = arn:aws:iam::222222222222:user/u", "login_session, which is not supported"),
            ("sso_session = missing", "[sso-session missing]"),
            (
                "sso_session = s\nsso_account_id = 222222222222\n[sso-session s]\nsso_region = us-east-1",
                "sso_role_name",
            ),
            ("credential_process =", "credential_process is empty"),
        ];
        for (contents, part) in cases {
            let mut environment = Environment::with_profile(contents);
            // The variable would override the section.
            environment.variables.retain(|(name, _)| name != "AWS_ENDPOINT_URL" || !contents.contains("[services"));
            environment.is_bad_usage(&["status", "--profile", "p"], &[part]);
        }
        let legacy = format!("retry_mode = legacy\n{}", "aws_access_key_id = test\naws_secret_access_key = test");
        Environment::with_profile(&legacy).fails(&["status", "--profile", "p"], &["error: DescribeOrganization"]);
        Environment::with_keys().is_bad_usage(
            &["status", "--profile", "missing"],
            &["profile `missing` does not exist", "~/.aws/config", "[profile missing]", "~/.aws/credentials"],
        );
    }

    #[test]
    fn status_with_unreadable_config_file_names_the_file() {
        let utf_16: Vec<u8> = "\u{feff}[default]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], &str); 5] = [
            (b"region = us-east-1", "line 1"),
            (b"[default]\nregion us-east-1", "line 2"),
            (b"[default\n", "line 1"),
            ("\u{feff}[default]\nregion = us-east-1".as_bytes(), "byte order mark"),
            (&utf_16, "UTF-8"),
        ];
        for (contents, part) in cases {
            Environment::with_config(contents).is_bad_usage(&["status"], &[part, ".aws/config"]);
        }
    }

    /// Starts a server that answers each request with this status and body.
    fn server(status: &'static str, body: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.get_mut().write_all((head + body).as_bytes());
            }
        });
        address
    }

    #[test]
    fn status_without_credentials_names_profile_and_files() {
        Environment::new().fails(
            &["status"],
            &["error: credentials unavailable", "no credentials are configured", "profile `default`", "~/.aws/config"],
        );
    }

    #[test]
    fn status_with_denied_role_names_mfa_serial() {
        const DENIED: &str =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        let role = "role_arn = arn:aws:iam::222222222222:role/r\nsource_profile = q\n";
        let source = "[profile q]\naws_access_key_id = test\naws_secret_access_key = test";
        let endpoint = format!("http://{}", server("403 Forbidden", DENIED));
        for (mfa, named) in [("", false), ("mfa_serial = arn:aws:iam::111111111111:mfa/u\n", true)] {
            let environment = Environment::with_profile(&format!("{role}{mfa}{source}"));
            let environment = environment.set("AWS_ENDPOINT_URL", &endpoint);
            let stderr = environment.fails(&["status", "--profile", "p"], &["denied access to the role", "`p`"]);
            assert_eq!(stderr.contains("mfa_serial arn:aws:iam::111111111111:mfa/u"), named, "{stderr}");
        }
    }

    #[test]
    fn status_without_sso_session_names_the_login() {
        let session = "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.com/start";
        let profile = "sso_session = s\nsso_account_id = 222222222222\nsso_role_name = r";
        let environment = Environment::with_profile(&format!("{profile}\n{session}"));
        let stderr = environment.fails(&["status", "--profile", "p"], &["run `aws sso login --profile p`"]);
        assert!(!stderr.contains("try again later"), "{stderr}");
    }

    #[test]
    fn status_with_failing_credential_process_names_it() {
        for (process, part) in [
            ("false --password=very-secret", "credential_process `false`"),
            ("echo x", "credential_process `echo`"),
            (r#"printf %s '{"Version":1,"AccessKeyId":"a\nb","SecretAccessKey":"c"}'"#, "contains white space"),
        ] {
            let environment = Environment::with_profile(&format!("credential_process = {process}"));
            let stderr = environment.fails(&["status", "--profile", "p"], &[part, "profile `p`"]);
            assert!(!stderr.contains("very-secret") && !stderr.contains("internal error"), "{stderr}");
        }
    }

    #[test]
    fn status_with_refusing_proxy_names_the_environment() {
        let proxy = format!("http://{}", server("403 Forbidden", ""));
        let environment = Environment::with_keys().set("AWS_ENDPOINT_URL", "https://aws.invalid");
        let environment = environment.set("HTTPS_PROXY", proxy);
        environment.fails(&["status"], &["the proxy of the environment", "HTTPS_PROXY"]);
    }

    /// Starts a server over TLS that denies every call, and returns its port and its certificate.
    fn tls_server() -> (u16, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let session = ServerConnection::new(Arc::clone(&config)).unwrap();
                // A client that does not trust the certificate ends the connection.
                let mut stream = StreamOwned::new(session, connection.unwrap());
                let mut first = [0; 1];
                if stream.read_exact(&mut first).is_ok() {
                    let _ = stream.write_all(
                        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 34\r\nconnection: close\r\n\r\n\
                          {\"__type\":\"AccessDeniedException\"}",
                    );
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        (port, made.cert.pem())
    }

    #[test]
    fn status_over_tls_trusts_the_ca_bundle_only() {
        let (port, certificate) = tls_server();
        let home = TempDir::new().unwrap();
        let file = |name: &str, contents: &str| {
            let path = home.path().join(name);
            fs::write(&path, contents).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (ours, other) = (file("ours.pem", &certificate), file("other.pem", CERTIFICATE));
        let endpoint = format!("https://localhost:{port}");
        let environment = || Environment::with_keys().set("AWS_ENDPOINT_URL", &endpoint);
        let keys = "aws_access_key_id = test\naws_secret_access_key = test";
        let profile = |bundle: &str| {
            Environment::with_profile(&format!("{keys}\nca_bundle = {bundle}")).set("AWS_ENDPOINT_URL", &endpoint)
        };
        environment().set("AWS_CA_BUNDLE", &ours).fails(&["status"], &["denied"]);
        profile(&ours).fails(&["status", "--profile", "p"], &["denied"]);
        for (environment, arguments) in [
            (environment(), &["status"][..]),
            (environment().set("AWS_CA_BUNDLE", &other), &["status"]),
            (profile(&other), &["status", "--profile", "p"]),
        ] {
            environment.fails(arguments, &["AWS_CA_BUNDLE"]);
        }
    }

    #[test]
    fn output_contains_no_control_character_and_no_secret() {
        const DENIED: &str = r#"{"__type":"AccessDeniedException","Message":"no \u001b[31m\u009b\u202e SecretAccessKey=hunter2, ?X-Amz-Signature=0af1bc&x {\"SessionToken\": \"hunter3\"}"}"#;
        let endpoint = format!("http://{}", server("400 Bad Request", DENIED));
        let environment = Environment::with_keys().set("AWS_ENDPOINT_URL", endpoint);
        for arguments in [&["status"][..], &["status", "--json"], &["status", "--verbose"]] {
            let output = environment.run(arguments);
            for text in [output.stdout, output.stderr] {
                let text = String::from_utf8(text).unwrap();
                let controls = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
                assert!(!text.contains(controls), "{arguments:?}: {text:?}");
                for secret in ["hunter2", "hunter3", "0af1bc"] {
                    assert!(!text.contains(secret), "{arguments:?}: {text}");
                }
            }
        }
    }

    /// A debug build of the SDK panics without any certificate of the machine.
    #[test]
    fn status_with_panic_reports_an_internal_error() {
        let environment = Environment::with_keys().set("AWS_ENDPOINT_URL", "https://127.0.0.1:1");
        let environment = environment.set("SSL_CERT_FILE", "/dev/null").set("SSL_CERT_DIR", "/dev/null");
        if !cfg!(debug_assertions) {
            return;
        }
        let stderr = environment.fails(&["status"], &["error: internal error", "`ssm-org status`"]);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let json = environment.run(&["status", "--json"]);
        assert_eq!(json.status.code(), Some(1));
        let object: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(object["error"]["kind"], "internal");
    }

    #[test]
    fn status_with_profile_ignores_keys_of_environment() {
        let environment = Environment::with_keys();
        fs::write(environment.home.path().join(".aws/credentials"), "[p]\naws_access_key_id = test\n").unwrap();
        environment.is_bad_usage(&["status", "--profile", "p"], &["not aws_secret_access_key"]);
    }
}
