//! Options with files, for each kind of file. The organization is simulated.

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::Write;
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::path::PathBuf;
    use std::process::{Command, Output, Stdio};
    use std::thread;

    use serde_json::Value;
    use tempfile::TempDir;

    /// Directory with a simulated organization, a plan and a receipt.
    struct Directory(TempDir);

    impl Directory {
        fn new() -> Self {
            let directory = Self(TempDir::new().unwrap());
            directory.succeeds(&["plan", "--trusted-access", "on", "--out", "plan.json"]);
            directory.succeeds(&["apply", "plan.json", "--yes", "--receipt", "receipt.json"]);
            directory.succeeds(&["undo", "receipt.json", "--yes"]);
            directory
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn text(&self, name: &str) -> String {
            fs::read_to_string(self.path(name)).unwrap()
        }

        fn command(&self, arguments: &[&str]) -> Command {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ssm-org"));
            command.args(["--simulate", "organization.json"]).args(arguments);
            command.current_dir(self.0.path()).env_clear().stdin(Stdio::null());
            command
        }

        fn run(&self, arguments: &[&str]) -> Output {
            self.command(arguments).output().unwrap()
        }

        fn succeeds(&self, arguments: &[&str]) -> Output {
            let output = self.run(arguments);
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            output
        }

        /// Asserts that the command fails with this reason and changes nothing.
        fn fails(&self, arguments: &[&str], reason: &str) {
            let organization = self.text("organization.json");
            let output = self.run(arguments);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {stderr}");
            assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
            assert_eq!(self.text("organization.json"), organization, "{arguments:?}");
        }

        fn pipe(&self, name: &str) -> PathBuf {
            let path = self.path(name);
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            path
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    const PLAN: [&str; 4] = ["plan", "--trusted-access", "on", "--out"];
    const APPLY: [&str; 4] = ["apply", "plan.json", "--yes", "--receipt"];

    fn with<'a>(arguments: &[&'a str], file: &'a str) -> Vec<&'a str> {
        [arguments, &[file]].concat()
    }

    fn is_plan(text: &str) -> bool {
        serde_json::from_str::<Value>(text).is_ok_and(|plan| plan.get("steps").is_some())
    }

    #[test]
    fn plan_out_writes_files_links_pipes_and_devices() {
        let directory = Directory::new();
        fs::write(directory.path("old.json"), "old").unwrap();
        fs::write(directory.path("empty.json"), "").unwrap();
        symlink("old.json", directory.path("link")).unwrap();
        symlink("created.json", directory.path("dangling")).unwrap();
        for (option, file) in [
            ("new.json", "new.json"),
            ("empty.json", "empty.json"),
            ("old.json", "old.json"),
            ("link", "old.json"),
            ("dangling", "created.json"),
        ] {
            directory.succeeds(&with(&PLAN, option));
            assert!(is_plan(&directory.text(file)), "{option}");
        }
        for link in ["link", "dangling"] {
            assert!(directory.path(link).is_symlink(), "{link}");
        }

        let pipe = directory.pipe("pipe");
        let read = pipe.clone();
        let reader = thread::spawn(move || fs::read_to_string(read).unwrap());
        directory.succeeds(&with(&PLAN, "pipe"));
        assert!(is_plan(&reader.join().unwrap()));
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

        directory.succeeds(&with(&PLAN, "/dev/null"));
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        directory.fails(&with(&PLAN, "."), "a directory");
        directory.fails(&with(&PLAN, "/dev/full"), "No space left");
        let drafts: Vec<_> = directory.names().into_iter().filter(|name| name.starts_with('.')).collect();
        assert!(drafts.is_empty(), "{drafts:?}");
    }

    #[test]
    fn plan_out_to_standard_output_keeps_the_rest_of_the_output() {
        let directory = Directory::new();
        let device = || fs::symlink_metadata("/dev/stdout").map(|found| found.file_type()).unwrap();
        let before = device();
        let piped = directory.succeeds(&with(&PLAN, "/dev/stdout"));
        let file = File::create(directory.path("stdout")).unwrap();
        assert!(directory.command(&with(&PLAN, "/dev/stdout")).stdout(file).status().unwrap().success());
        assert_eq!(device(), before);
        for text in [String::from_utf8(piped.stdout).unwrap(), directory.text("stdout")] {
            let (plan, rest) = text.split_at(text.find("\n}\n").unwrap() + 3);
            assert!(is_plan(plan) && !rest.trim().is_empty(), "{text}");
        }
    }

    #[test]
    fn receipt_is_kept_in_files_and_links_only() {
        let directory = Directory::new();
        fs::write(directory.path("empty"), "").unwrap();
        fs::write(directory.path("blank"), "\n").unwrap();
        symlink("empty", directory.path("link")).unwrap();
        symlink("created", directory.path("dangling")).unwrap();
        for (option, file) in [("new", "new"), ("blank", "blank"), ("link", "empty"), ("dangling", "created")] {
            directory.succeeds(&with(&APPLY, option));
            let receipt: Value = serde_json::from_str(&directory.text(file)).unwrap();
            assert_eq!(receipt["changes"].as_array().unwrap().len(), 1, "{option}");
            directory.succeeds(&["undo", option, "--yes"]);
        }
        assert!(directory.path("link").is_symlink() && directory.path("dangling").is_symlink());

        directory.pipe("pipe");
        for file in ["pipe", "/dev/null", "/dev/zero", "/dev/stdout"] {
            directory.fails(&with(&APPLY, file), "a pipe or a device cannot be replaced; use a regular file");
        }
        let log = File::options().append(true).create(true).open(directory.path("log")).unwrap();
        let redirected = directory.command(&with(&APPLY, "/dev/stdout")).stdout(log).output().unwrap();
        let stderr = String::from_utf8_lossy(&redirected.stderr);
        assert!(stderr.contains("a standard stream cannot be replaced"), "{stderr}");
        directory.fails(&with(&APPLY, "."), "a directory cannot be replaced");
        directory.fails(&with(&APPLY, "missing/receipt"), "No such file");
        directory.fails(&with(&APPLY, "plan.json"), "receipt plan.json");
        let locks: Vec<_> = directory.names().into_iter().filter(|name| name.starts_with('.')).collect();
        assert!(locks.is_empty(), "{locks:?}");
    }

    /// Commands that read a file, without the file.
    const READERS: [&[&str]; 4] = [&["apply", "--yes"], &["undo", "--yes"], &["policy"], &["plan", "--target"]];

    #[test]
    fn input_of_another_encoding_or_kind_is_reported() {
        let directory = Directory::new();
        let plan = directory.text("plan.json");
        let utf_16 = |order: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
            (mark.to_owned() + &plan).encode_utf16().flat_map(order).collect()
        };
        let cases = [
            ("empty", Vec::new(), "the file is empty"),
            ("blank", b" \n".to_vec(), "the file is empty"),
            ("mark", format!("\u{feff}{plan}").into_bytes(), "byte order mark"),
            ("little", utf_16(u16::to_le_bytes, "\u{feff}"), "UTF-16"),
            ("big", utf_16(u16::to_be_bytes, "\u{feff}"), "UTF-16"),
            ("unmarked", utf_16(u16::to_le_bytes, ""), "UTF-16"),
            ("latin", b"{\"\xe4\":1}".to_vec(), "not in UTF-8"),
        ];
        for (name, contents, reason) in cases {
            fs::write(directory.path(name), contents).unwrap();
            for reader in READERS {
                directory.fails(&with(reader, name), reason);
            }
            if !["empty", "blank"].contains(&name) {
                directory.fails(&with(&APPLY, name), reason);
            }
        }
        for reader in READERS {
            directory.fails(&with(reader, "/dev/null"), "the file is empty");
            directory.fails(&with(reader, "/dev/zero"), "larger than 64 MiB");
            directory.fails(&with(reader, "."), "directory");
            directory.fails(&with(reader, "missing"), "No such file");
        }
        for file in ["/dev/null", "/dev/zero"] {
            let output =
                Command::new(env!("CARGO_BIN_EXE_ssm-org")).args(["status", "--simulate", file]).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(stderr.contains("a pipe or a device cannot be replaced"), "{stderr}");
        }
    }

    #[test]
    fn apply_reads_a_plan_from_a_pipe() {
        let directory = Directory::new();
        let (pipe, plan) = (directory.pipe("pipe"), directory.text("plan.json"));
        let writer =
            thread::spawn(move || OpenOptions::new().write(true).open(pipe).unwrap().write_all(plan.as_bytes()));
        directory.succeeds(&["apply", "pipe", "--yes"]);
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn receipt_in_use_by_another_process_stops_the_run() {
        let directory = Directory::new();
        symlink("receipt.json", directory.path("link")).unwrap();
        let receipt = directory.text("receipt.json");
        let lock = File::create(directory.path(".receipt.json.lock")).unwrap();
        lock.try_lock().unwrap();
        for file in ["receipt.json", "link"] {
            directory.fails(&with(&APPLY, file), "another process uses the file");
        }
        assert_eq!(directory.text("receipt.json"), receipt);
        drop(lock);
        directory.succeeds(&with(&APPLY, "receipt.json"));
    }
}
