//! The AWS adapter on the real SDK, over canned answers: what is sent, and what is made of what comes back.
//!
//! Time is tokio's and stands still, so no test waits; nothing leaves this machine.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod canned;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod declared;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod fate;
#[cfg(test)]
mod model;
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
