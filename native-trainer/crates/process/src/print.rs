//! Prints results to stdout and messages for people to stderr. Apart from the log, nothing else writes to either.
//!
//! Rust's own macros panic if a stream is full or closed. Here, a closed pipe (as of `head`) ends the command silently,
//! a full disk is an ordinary error, and messages for people that cannot be written are dropped.

use anyhow::{Error, Result};
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Stdout is a closed pipe.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("nobody reads the results any more")]
pub struct Closed;

/// Prints one answer of many, and the end of its line. Control characters are escaped.
///
/// # Errors
/// [`Closed`] if stdout is a closed pipe, so that the command can stop; an IO error if stdout cannot be written.
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

/// Prints the summary of a command whose results are in files: a closed pipe is not an error.
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

/// Prints a message for people to stderr.
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

/// Escapes every character that a terminal would execute instead of showing, except line ends.
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

/// Control characters, line and paragraph separators, and characters that change the writing direction.
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
