//! The wrong order does not compile, and the compiler's message names the state that has the method.
//!
//! Not with the feature `aws`: the cases are built apart, and the SDK would be built with them once more.
#![cfg(all(feature = "sim", not(feature = "aws")))]

use std::process::Command;

/// The release whose wording the expected messages have.
const RELEASE: &str = "rustc 1.95.";

#[test]
fn the_wrong_order_does_not_compile() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc is there, or this would not be built");
    let version = String::from_utf8_lossy(&version.stdout);
    if version.starts_with(RELEASE) {
        trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
    } else {
        println!("not compared: the messages are those of {RELEASE}x, and this is {version}");
    }
}
