//! Simulated organization that is saved in a file.
//!
//! Each call writes its change to the file at once and reads the changes of other processes first.
//! Writes of several processes run one after the other.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use ssm_organizations::ports::{Call, CallHook, Decorated};
use ssm_organizations::{AccountId, Error, sim};
use tokio::sync::Mutex;

use crate::console::print_error;
use crate::files;
use crate::report::CliError;
use crate::storage::{self, FileLock};

/// Simulated organization in a file.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedOrganization {
    path: Arc<Path>,
    state: Arc<Mutex<FileState>>,
}

#[derive(Debug)]
struct FileState {
    organization: sim::SimOrganization,
    /// The contents of the file.
    text: String,
}

/// Accounts of a simulated organization.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) management: AccountId,
    pub(crate) others: Vec<AccountId>,
}

impl FileState {
    fn of(text: String) -> Result<Self, String> {
        let snapshot: sim::SimState = files::parse_json(&text)?;
        // The file does not record pending deletions, so roles are deleted at once.
        let organization = sim::SimOrganizationBuilder::from(snapshot).role_deletion(Duration::ZERO).build();
        Ok(Self { organization, text })
    }
}

impl SimulatedOrganization {
    /// Opens the organization of the file, or creates a default organization if the file is
    /// missing.
    ///
    /// The flag is `true` for a new file.
    pub(crate) fn open(path: PathBuf) -> Result<(Self, bool), CliError> {
        let (text, is_new) = open_text(&path)?;
        let state = FileState::of(text).map_err(|why| file_error(&path, &why))?;
        Ok((Self { path: path.into(), state: Arc::new(Mutex::new(state)) }, is_new))
    }

    pub(crate) async fn members(&self) -> Result<Members, CliError> {
        let state = self.state.lock().await;
        Members::of(&state.text).map_err(|why| file_error(&self.path, &why))
    }

    /// Returns a client with credentials of the account.
    pub(crate) async fn client(&self, account: AccountId) -> SimulatedClient {
        Decorated::new(self.state.lock().await.organization.client(account), self.clone())
    }
}

/// Makes each call with exclusive use of the file in this process: reads the changes of other
/// processes before the call and writes the change after the call.
#[async_trait]
impl CallHook for SimulatedOrganization {
    async fn around<T, F, S>(&self, call: &Call<'_>, send: S) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
        S: Fn() -> F + Send + Sync,
    {
        let mut state = self.state.lock().await;
        let refused = |why: String| Error::not_sent(call.operation, file_error(&self.path, &why).to_string());
        let lock = async { if call.operation.is_write() { self.lock().await.map(Some) } else { Ok(None) } };
        let _lock = lock.await.map_err(|error| refused(error.to_string()))?;
        let text = storage::read_text(&self.path).map_err(|error| refused(error.to_string()))?;
        if text != state.text {
            state.organization.restore(files::parse_json(&text).map_err(refused)?);
            state.text = text;
        }
        let result = send().await;
        let text = files::to_json(&state.organization.state()).map_err(|error| refused(error.to_string()))?;
        if text != state.text {
            if let Err(error) = storage::write_unsynced(&self.path, &text) {
                // Without a saved effect, the call was not made.
                state.organization.restore(files::parse_json(&state.text).map_err(refused)?);
                return Err(refused(error.to_string()));
            }
            state.text = text;
        }
        result
    }
}

impl SimulatedOrganization {
    /// Locks the file. Waits for the calls of other commands, but not for a server.
    async fn lock(&self) -> io::Result<FileLock> {
        let mut attempts = 1..LOCK_ATTEMPTS;
        loop {
            match FileLock::acquire(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && attempts.next().is_some() => {
                    tokio::time::sleep(LOCK_PAUSE).await;
                }
                result => return result,
            }
        }
    }
}

/// Number of attempts to lock the file, and the pause between two of them.
const LOCK_ATTEMPTS: u8 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Reads the file, or writes a default organization if the file is missing.
///
/// The flag is `true` for a new file.
pub(crate) fn open_text(path: &Path) -> Result<(String, bool), CliError> {
    match storage::read_replaceable(path) {
        Ok(Some(text)) => Ok((text, false)),
        Ok(None) => {
            let text = files::to_json(&default_organization().map_err(|error| file_error(path, &error))?.state())?;
            storage::write_unsynced(path, &text).map_err(|error| file_error(path, &error))?;
            Ok((text, true))
        }
        Err(error) => Err(file_error(path, &error)),
    }
}

impl Members {
    /// Returns the accounts of an organization whose state has this text.
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let ids = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let saved: Value = files::parse_json(text)?;
        let named = saved.get("members").and_then(Value::as_object);
        Ok(Self {
            management: saved.get("management").and_then(ids).ok_or("no management account")?,
            others: named.into_iter().flat_map(|named| named.keys()).filter_map(|id| id.parse().ok()).collect(),
        })
    }

    /// Prints a note about a new file.
    pub(crate) fn announce(&self, path: &Path) {
        let members: Vec<_> = self.others.iter().map(ToString::to_string).collect();
        print_error(format_args!(
            "created {}: a simulated organization with management account {} and members {}\n",
            path.display(),
            self.management,
            members.join(" and ")
        ));
    }
}

/// Returns the organization of a new file.
fn default_organization() -> Result<sim::SimOrganization, ssm_organizations::domain::InvalidValue> {
    let builder = sim::SimOrganization::builder()
        .member("222222222222".parse()?)
        .member("333333333333".parse()?)
        .unit("ou-exam-12345678".parse()?);
    Ok(builder.build())
}

pub(crate) fn file_error(path: &Path, why: &dyn std::fmt::Display) -> CliError {
    files::invalid(path, "simulated organization", &why.to_string())
}

/// Client of one simulated account.
pub(crate) type SimulatedClient = Decorated<sim::SimClient, SimulatedOrganization>;

#[cfg(test)]
mod tests {
    use std::fs;

    use ssm_organizations::ErrorKind;
    use ssm_organizations::plan::{Clients, Target};
    use tempfile::TempDir;

    use super::SimulatedOrganization;

    #[tokio::test]
    async fn simulated_organization_is_shared_between_processes() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("organization.json");
        let (one, is_new) = SimulatedOrganization::open(path.clone()).unwrap();
        let (other, is_new_again) = SimulatedOrganization::open(path.clone()).unwrap();
        assert!(is_new && !is_new_again);
        let management = one.members().await.unwrap().management;
        let (one, other) = (one.client(management).await, other.client(management).await);

        let target = Target::new().with_trusted_access(true);
        let plan = target.plan(&Clients::new(&one)).await.unwrap();
        plan.apply(&Clients::new(&one), |_| {}).await.unwrap();
        assert!(target.plan(&Clients::new(&other)).await.unwrap().is_empty());
        let off = Target::new().with_trusted_access(false).search_regions(["us-east-1".parse().unwrap()]);
        off.plan(&Clients::new(&other)).await.unwrap().apply(&Clients::new(&other), |_| {}).await.unwrap();
        let plan = target.plan(&Clients::new(&one)).await.unwrap();
        assert_eq!(plan.steps().len(), 1);

        fs::write(&path, "{").unwrap();
        let stopped = plan.apply(&Clients::new(&one), |_| {}).await.unwrap_err();
        assert_eq!(*stopped.error().kind(), ErrorKind::NotSent);
        assert!(stopped.receipt().is_empty());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }
}
