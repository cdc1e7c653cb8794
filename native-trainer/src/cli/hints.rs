//! Hints below an error: what somebody most likely wanted.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use dermake_models::NoConfig;
use std::path::Path;

/// Returns a hint for an error, if there is one.
pub fn hint(err: &anyhow::Error) -> Option<&'static str> {
    if err.is::<NoConfig>() {
        return Some(
            "put one there, or name the architecture: with --arch, or as `architecture` in a recipe's [model]",
        );
    }
    let text = format!("{err:#}");
    if text.contains("web/dist") {
        return Some("`just web` builds the page");
    }
    if text.contains("hf-hub:") {
        return Some("`dermake init --out DIR` makes an untrained model to try things with");
    }
    None
}

/// Returns a hint for a command line that cannot be parsed, if there is one.
pub fn parse_hint(err: &clap::Error) -> Option<String> {
    let arguments = match err.get(ContextKind::InvalidArg)? {
        ContextValue::String(argument) => std::slice::from_ref(argument),
        ContextValue::Strings(arguments) => arguments,
        _ => return None,
    };
    match (err.kind(), arguments) {
        (ErrorKind::UnknownArgument, [argument]) if Path::new(argument).exists() => {
            Some(format!("data are named with --data, as in `--data {argument}`"))
        }
        (ErrorKind::MissingRequiredArgument, arguments) if arguments.iter().any(|name| name == "<RECIPE>") => {
            Some("clip-small is a recipe for images and captions of your own: `dermake train clip-small --data captions.csv --out runs/own`".into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_first_try_is_told_what_to_change() {
        let hint = |line: &str| parse_hint(&Cli::read(line.split(' ')).unwrap_err());
        assert!(hint("dermake eval src").unwrap().contains("--data src"));
        assert!(hint("dermake train --data a --out b").unwrap().contains("clip-small"));
        assert_eq!(hint("dermake eval no-such-file"), None);
        assert_eq!(hint("dermake eval --no-such-option"), None);
    }
}
