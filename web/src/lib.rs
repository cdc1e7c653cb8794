//! The Dermake page.
