//! What the commands print: results on stdout, remarks on stderr. Nothing else writes to either but the log.
//!
//! Rust's own macros panic when a stream is full or its reader has gone. Here a reader that has gone, as `head` has
//! after its lines, ends the command without a word, a full disk is an error like any other, and remarks that cannot
//! be written are dropped.

use anyhow::{Error, Result};
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Stdout is a pipe that nobody reads any more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("nobody reads the results any more")]
pub struct Closed;

/// Prints one answer of many, and the end of its line. Control characters are escaped.
///
/// # Errors
/// [`Closed`] when nobody reads any more, which makes further answers useless; when stdout cannot be written.
pub fn answer(text: &str) -> Result<()> {
    write(&mut io::stdout().lock(), &[escaped(text).as_bytes(), b"\n"])
}

/// Prints one answer of many as a line of JSON.
///
/// # Errors
/// As [`answer`].
pub fn json(value: &impl serde::Serialize) -> Result<()> {
    write(&mut io::stdout().lock(), &[&serde_json::to_vec(value)?, b"\n"])
}

/// Prints what was done by a command whose results are elsewhere: a reader who has gone is no error.
///
/// # Errors
/// When stdout cannot be written.
pub fn summary(text: &str) -> Result<()> {
    unless_closed(write(&mut io::stdout().lock(), &[escaped(text).as_bytes()]))
}

/// As [`summary`], for JSON, which has escapes of its own.
///
/// # Errors
/// As [`summary`].
pub fn summary_json(json: &[u8]) -> Result<()> {
    unless_closed(write(&mut io::stdout().lock(), &[json]))
}

/// Prints a remark for people on stderr.
pub fn remark(text: impl Display) {
    let line = escaped(&text.to_string()) + "\n";
    // Where stderr is gone or full there is no place left to say so.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// `Ok` for [`Closed`].
pub fn unless_closed(printed: Result<()>) -> Result<()> {
    match printed {
        Err(err) if err.is::<Closed>() => Ok(()),
        printed => printed,
    }
}

/// An error of writing to stdout, as the functions of this module give it.
pub fn stdout_error(err: io::Error) -> Error {
    match err.kind() {
        ErrorKind::BrokenPipe => Closed.into(),
        _ => Error::new(err).context("cannot write the results to stdout"),
    }
}

fn write(stdout: &mut impl Write, parts: &[&[u8]]) -> Result<()> {
    let mut written = parts.iter().try_for_each(|part| stdout.write_all(part));
    written = written.and_then(|()| stdout.flush());
    written.map_err(stdout_error)
}

/// The text with every character escaped that a terminal would obey instead of showing, but for the ends of lines.
pub fn escaped(text: &str) -> String {
    escape(text, |c| c != '\n')
}

/// A name for people: as [`escaped`], and on one line.
pub fn shown(name: &str) -> String {
    escape(name, |_| true)
}

fn escape(text: &str, may_escape: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if commands_a_terminal(c) && may_escape(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Control characters, line and paragraph separators, and what turns the direction of writing.
fn commands_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses to be written to.
    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_has_gone_is_told_from_a_full_disk() {
        let closed = write(&mut Failing(ErrorKind::BrokenPipe), &[b"1"]);
        assert!(closed.as_ref().is_err_and(|err| err.is::<Closed>()));
        assert!(unless_closed(closed).is_ok());
        let full = write(&mut Failing(ErrorKind::StorageFull), &[b"1"]);
        assert!(unless_closed(full).unwrap_err().to_string().contains("stdout"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_letters_are_not() {
        assert_eq!(escaped("a\u{1b}[31m\r\nb\u{9b}"), "a\\u{1b}[31m\\r\nb\\u{9b}");
        assert_eq!(shown("a\nb\u{202e}gpj.exe"), "a\\nb\\u{202e}gpj.exe");
        for name in ["Haut\u{308} 'α' \"皮\".jpg", "C:\\new\\test.png", "👩🏽‍⚕️"] {
            assert_eq!(shown(name), name);
        }
    }
}
