//! Captions read by a language model, beside a stand-in with every fault of a real service.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod reader;
mod scores;
mod service;

use dermake_prepare::Lexicon;
use std::sync::LazyLock;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(None));
