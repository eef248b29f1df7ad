#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod change;
mod domain;
mod error;
mod failure;
mod integration;
mod journal;
mod observation;
mod observed;
mod operations;
mod pages;
mod redact;
mod syncs;

pub mod ports;
pub mod state;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "sim")]
pub mod sim;

pub use change::{Certainty, Change, ChangeKind};
pub use domain::{
    AccountId, InvalidIdentifier, OrganizationId, PageToken, Partition, Region, ServicePrincipal, SyncName,
};
pub use error::{Applied, Error, ErrorKind, Retry};
pub use failure::{Failure, Handle, Recovered};
pub use integration::{Integration, Transition};
pub use observed::Observed;
pub use syncs::{SyncAt, Syncs, SyncsLook, SyncsReport};
