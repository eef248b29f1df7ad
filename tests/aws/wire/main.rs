//! The AWS adapter on the SDK with scripted responses: the requests it sends, and the conversion of
//! the responses.
//!
//! Tokio's clock is paused, so no test waits. No request leaves this machine.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod assume_role;
#[cfg(test)]
mod canned;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod credential_process;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod declared;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod fate;
#[cfg(test)]
mod listings;
#[cfg(test)]
mod model;
#[cfg(test)]
mod no_connection;
#[cfg(test)]
mod reasons;
#[cfg(test)]
#[path = "../../suite/common/recorder.rs"]
mod recorder;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod transitions;
#[cfg(test)]
mod understood;
