//! Files: targets, plans, receipts and simulated organizations. Writes are atomic.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use ssm_organizations::plan::Receipt;
use ssm_organizations::ports::Organization;
use ssm_organizations::{Change, RecordError};

use crate::report::CliError;
use crate::storage::{self, FileLock};

/// Reads a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, CliError> {
    parse_json(&read(path, what)?).map_err(|why| invalid(path, what, &why))
}

pub(crate) fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Reads a TOML or JSON file that is part of the command's input.
///
/// The extension selects the format; without a known extension, the first character does. Invalid
/// contents are a usage error.
pub(crate) fn read_toml_or_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, CliError> {
    let text = read(path, what)?;
    let is_json = match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("json") => true,
        Some(extension) if extension.eq_ignore_ascii_case("toml") => false,
        _ => text.trim_start().starts_with('{'),
    };
    let parsed = if is_json { parse_json(&text) } else { toml::from_str(&text).map_err(|error| error.to_string()) };
    parsed.map_err(|why| CliError::Usage(described(path, what, &why)))
}

fn read(path: &Path, what: &str) -> Result<String, CliError> {
    let text = storage::read_text(path)
        .map_err(|error| CliError::new("file", format!("{what} {}: {error}", path.display())))?;
    if text.trim().is_empty() { Err(invalid(path, what, "the file is empty")) } else { Ok(text) }
}

pub(crate) fn invalid(path: &Path, what: &str, why: &str) -> CliError {
    CliError::new("file", described(path, what, why))
}

fn described(path: &Path, what: &str, why: &str) -> String {
    format!("{what} {}: {}", path.display(), why.trim_end())
}

/// Formats a value as indented JSON with a line break at the end.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, CliError> {
    let written = serde_json::to_string_pretty(value);
    written
        .map(|text| text + "\n")
        .map_err(|error| CliError::new("file", format!("cannot be written as JSON: {error}")))
}

/// Writes a JSON file.
pub(crate) fn write_json(path: &Path, what: &str, value: &impl Serialize) -> Result<(), CliError> {
    let text = to_json(value)?;
    storage::write(path, &text).map_err(|error| CliError::new("file", format!("{what} {}: {error}", path.display())))
}

/// Reads the receipt of earlier runs, or returns `None` if the file is missing or empty.
pub(crate) fn read_receipt(path: &Path) -> Result<Option<Receipt>, CliError> {
    let text = storage::read_replaceable(path).map_err(|error| invalid(path, "receipt", &error.to_string()))?;
    text.map(|text| parse_json(&text).map_err(|why| invalid(path, "receipt", &why))).transpose()
}

/// Receipt file that is rewritten after each change.
#[derive(Debug)]
pub(crate) struct ReceiptFile {
    path: PathBuf,
    /// Prevents another run from overwriting the changes of this run.
    _lock: FileLock,
    organization: Organization,
    /// Changes of earlier runs that the file held.
    earlier: Vec<Change>,
    failure: Option<CliError>,
}

impl ReceiptFile {
    /// Opens the file before the first change.
    ///
    /// A file that cannot be written, that holds other data, or that another process uses, is an
    /// error at that point. An empty file is a new receipt.
    pub(crate) fn open(path: &Path, organization: &Organization) -> Result<Self, CliError> {
        let failed = |error: io::Error| invalid(path, "receipt", &error.to_string());
        // The kind of the file is checked first, because a lock needs a file beside it.
        storage::read_replaceable(path).map_err(failed)?;
        let lock = FileLock::acquire(path).map_err(failed)?;
        let earlier = if let Some(receipt) = read_receipt(path)? {
            if *receipt.organization() != organization.id {
                let why = format!(
                    "the receipt belongs to organization {}, but the credentials belong to {}",
                    receipt.organization(),
                    organization.id
                );
                return Err(invalid(path, "receipt", &why));
            }
            receipt.changes().to_vec()
        } else {
            Vec::new()
        };
        let opened =
            Self { path: path.to_owned(), _lock: lock, organization: organization.clone(), earlier, failure: None };
        write_json(path, "receipt", &opened.with(&[]))?;
        Ok(opened)
    }

    /// Writes the changes of earlier runs and the changes of this run so far.
    pub(crate) fn write(&mut self, changes: &[Change]) -> Result<(), RecordError> {
        let receipt = self.with(changes);
        let written = write_json(&self.path, "receipt", &receipt).map_err(|failure| failure.to_string());
        self.failure = written.as_ref().err().map(|failure| {
            // No other place holds these changes, so the error message includes them.
            let contents = to_json(&receipt).unwrap_or_default();
            CliError::new("file", format!("{failure}; it would hold:\n{}", contents.trim_end()))
        });
        Ok(written?)
    }

    fn with(&self, changes: &[Change]) -> Receipt {
        Receipt::of_changes(&self.organization, &[&self.earlier, changes].concat())
    }

    /// Returns the error of the last write, if the file is not up to date.
    pub(crate) fn into_failure(self) -> Option<CliError> {
        self.failure
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use ssm_organizations::plan::{Clients, Receipt, Target};
    use ssm_organizations::sim;

    use super::ReceiptFile;
    use crate::storage::write as replace;

    #[test]
    fn replace_is_atomic() {
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
    async fn unwritable_receipt_is_printed() {
        let client = sim::SimOrganization::builder().build().management_client();
        let clients = Clients::new(&client);
        let plan = Target::new().with_trusted_access(true).plan(&clients).await.unwrap();
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("receipt.json");
        let mut file = ReceiptFile::open(&path, plan.snapshot().organization()).unwrap();
        fs::remove_file(&path).unwrap();
        directory.close().unwrap();

        let receipt = plan.apply(&clients, |_| {}).await.unwrap().receipt;
        file.write(receipt.changes()).unwrap_err();
        let failure = file.into_failure().unwrap().to_string();
        let shown: Receipt = serde_json::from_str(&failure[failure.find("{\n").unwrap()..]).unwrap();
        assert_eq!(shown, receipt);
    }
}
