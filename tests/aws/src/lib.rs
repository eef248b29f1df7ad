//! Compiles the examples of the documents, which need every feature.

macro_rules! documents {
    ($($name:ident: $file:literal),* $(,)?) => {$(
        #[cfg(doctest)]
        #[doc = include_str!($file)]
        pub struct $name;
    )*};
}

documents! {
    Readme: "../../../README.md",
    Guide: "../../../docs/guide.md",
    Permissions: "../../../docs/permissions.md",
    Errors: "../../../docs/errors.md",
    Testing: "../../../docs/testing.md",
    Costs: "../../../docs/costs.md",
}
