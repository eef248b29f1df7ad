//! The embedded organization.
