//! The library behind `dermake`.
