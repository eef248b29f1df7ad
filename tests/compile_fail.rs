//! A transition in the wrong state does not compile, and the compiler's message names the state
//! that has the method.
//!
//! Disabled with the feature `aws`, because the cases are built separately and would build the SDK
//! again.
#![cfg(all(feature = "sim", not(feature = "aws")))]

use std::process::Command;

/// Release of rustc that produced the expected messages.
const RELEASE: &str = "rustc 1.95.";

#[test]
fn transition_in_wrong_state_does_not_compile() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout);
    if version.starts_with(RELEASE) {
        trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
    } else {
        println!("not compared: the messages are those of {RELEASE}x, and this is {version}");
    }
}
