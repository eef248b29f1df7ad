//! The tests of this package stand beside this folder.
