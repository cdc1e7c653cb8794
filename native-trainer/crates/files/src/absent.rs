//! What messages say of a path that leads to nothing; the path or an advice comes behind it.

/// Where a file is expected.
pub const NO_FILE: &str = "there is no such file";
/// Where it may be either.
pub const NO_FILE_OR_FOLDER: &str = "there is no such file or folder";
