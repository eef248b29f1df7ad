//! The adapter for the AWS SDK.
