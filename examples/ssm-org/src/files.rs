//! Files: targets, plans, receipts and pretend organizations. What is written is written whole, or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ssm_organizations::Change;
use ssm_organizations::plan::Receipt;
use ssm_organizations::ports::Organization;

use crate::report::Complaint;

/// Reads a file, in JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Complaint> {
    parse_json(&read(path, what)?).map_err(|why| invalid(path, what, &why))
}

pub(crate) fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Reads a file that is part of what was asked for, in TOML or JSON: by its name, or else by how it begins. What is wrong in it is bad usage.
pub(crate) fn read_toml_or_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Complaint> {
    let text = read(path, what)?;
    let is_json = match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("json") => true,
        Some(extension) if extension.eq_ignore_ascii_case("toml") => false,
        _ => text.trim_start().starts_with('{'),
    };
    let parsed = if is_json { parse_json(&text) } else { toml::from_str(&text).map_err(|error| error.to_string()) };
    parsed.map_err(|why| Complaint::Usage(described(path, what, &why)))
}

fn read(path: &Path, what: &str) -> Result<String, Complaint> {
    fs::read_to_string(path).map_err(|error| Complaint::own("file", format!("{what} {}: {error}", path.display())))
}

pub(crate) fn invalid(path: &Path, what: &str, why: &str) -> Complaint {
    Complaint::own("file", described(path, what, why))
}

fn described(path: &Path, what: &str, why: &str) -> String {
    format!("{what} {}: {}", path.display(), why.trim_end())
}

/// In JSON, for people too, with a line break at the end.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, Complaint> {
    let written = serde_json::to_string_pretty(value);
    written
        .map(|text| text + "\n")
        .map_err(|error| Complaint::own("file", format!("cannot be written as JSON: {error}")))
}

/// Writes a file in JSON.
pub(crate) fn write_json(path: &Path, what: &str, value: &impl Serialize) -> Result<(), Complaint> {
    let text = to_json(value)?;
    replace(path, &text).map_err(|error| Complaint::own("file", format!("{what} {}: {error}", path.display())))
}

/// Puts a text into a file, so that whoever reads it sees the old one or the new one, whenever this process ends.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // What a link points to is replaced, and not the link.
    let target = fs::canonicalize(path);
    let path = target.as_deref().unwrap_or(path);
    let mut draft_name = OsString::from(".");
    draft_name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    draft_name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(draft_name);
    let written = write(&draft, text, path).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Whoever may read the old file may read the new one, and nobody else.
fn write(draft: &Path, text: &str, path: &Path) -> io::Result<()> {
    let mut file = File::create(draft)?;
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A receipt that is kept as it grows.
#[derive(Debug)]
pub(crate) struct ReceiptFile<'a> {
    path: &'a Path,
    organization: Organization,
    /// What earlier runs left in the file.
    earlier: Vec<Change>,
    failure: Option<Complaint>,
}

impl<'a> ReceiptFile<'a> {
    /// Before anything is changed: a file that cannot be written, or that holds something else, is to be known by then.
    pub(crate) fn open(path: &'a Path, organization: &Organization) -> Result<Self, Complaint> {
        let earlier = if path.exists() {
            let receipt: Receipt = read_json(path, "receipt")?;
            if *receipt.organization() != organization.id {
                let why = format!("it is of organization {}, and this is {}", receipt.organization(), organization.id);
                return Err(invalid(path, "receipt", &why));
            }
            receipt.changes().to_vec()
        } else {
            Vec::new()
        };
        let opened = Self { path, organization: organization.clone(), earlier, failure: None };
        write_json(path, "receipt", &opened.with(&[]))?;
        Ok(opened)
    }

    /// Writes what earlier runs changed, and what this one has so far.
    pub(crate) fn keep(&mut self, changes: &[Change]) {
        let receipt = self.with(changes);
        self.failure = write_json(self.path, "receipt", &receipt).err().map(|failure| {
            // Whose these changes are is written nowhere else.
            let contents = to_json(&receipt).unwrap_or_default();
            Complaint::own("file", format!("{failure}; it would hold:\n{}", contents.trim_end()))
        });
    }

    /// The same before anything is changed, where a failure is still without consequence.
    pub(crate) fn keep_first(&mut self, changes: &[Change]) -> Result<(), Complaint> {
        write_json(self.path, "receipt", &self.with(changes))
    }

    fn with(&self, changes: &[Change]) -> Receipt {
        Receipt::of_changes(&self.organization, &[&self.earlier, changes].concat())
    }

    /// Why the last of it is not in the file.
    pub(crate) fn into_failure(self) -> Option<Complaint> {
        self.failure
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use ssm_organizations::plan::{Clients, Receipt, Target};
    use ssm_organizations::sim;

    use super::{ReceiptFile, replace};

    #[test]
    fn a_file_is_replaced_whole_or_left_as_it_is() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("file");
        for text in ["one", "two"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        replace(directory.path(), "not a file").unwrap_err();
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["file"], "no draft is left behind");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }

    #[tokio::test]
    async fn a_receipt_that_cannot_be_kept_is_shown() {
        let client = sim::Organization::builder().build().management_client();
        let clients = Clients::new(&client);
        let plan = Target::new().with_trusted_access(true).plan(&clients).await.unwrap();
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("receipt.json");
        let mut file = ReceiptFile::open(&path, plan.snapshot().organization()).unwrap();
        fs::remove_file(&path).unwrap();
        directory.close().unwrap();

        file.keep_first(&[]).unwrap_err();
        let receipt = plan.apply(&clients, |_| {}).await.unwrap();
        file.keep(receipt.changes());
        let failure = file.into_failure().unwrap().to_string();
        let shown: Receipt = serde_json::from_str(&failure[failure.find("{\n").unwrap()..]).unwrap();
        assert_eq!(shown, receipt);
    }
}
