//! The tests of this package are in the parent folder.
