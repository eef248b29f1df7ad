//! The AWS SDK and `AwsClient` over the simulation as their HTTP client.
//!
//! Each response is validated against AWS's model. Tokio's clock is paused, so no test waits.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod answered;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod model;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod validated;
