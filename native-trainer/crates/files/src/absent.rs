//! What messages say of a path that leads to nothing; the path or an advice comes behind it.

/// Where a file is expected.
pub const NO_FILE: &str = "there is no such file";
/// What messages say of a folder where a file is expected.
pub const A_FOLDER: &str = "this is a folder, expected a file";
/// Where it may be either.
pub const NO_FILE_OR_FOLDER: &str = "there is no such file or folder";
