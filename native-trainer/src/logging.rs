//! The log on stderr: its level from DERMAKE_LOG, its colors from the terminal.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// The variable with the level, or with levels by module.
const VARIABLE: &str = "DERMAKE_LOG";
const DEFAULT_FILTER: &str = "warn,dermake=info";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Starts the log and writes the warnings that were found before.
pub fn start(warnings: &[String]) {
    let typed = std::env::var_os(VARIABLE).map(|typed| typed.to_string_lossy().into_owned());
    let filter = typed.as_deref().map(filter);
    let color = is_colored(
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        std::env::var("TERM").ok().as_deref(),
        std::io::stderr().is_terminal(),
    );
    tracing_subscriber::fmt()
        .with_env_filter(filter.clone().flatten().map_or_else(|| EnvFilter::new(DEFAULT_FILTER), EnvFilter::new))
        .with_writer(std::io::stderr)
        .with_ansi(color)
        .without_time()
        .with_target(false)
        .log_internal_errors(false) // they would go to stderr, and end the program where that is full
        .init();
    if let (Some(typed), Some(None)) = (typed, filter) {
        tracing::warn!(
            "{VARIABLE} is {typed:?}, expected {} or levels by module such as dermake=debug; using \
             {DEFAULT_FILTER}",
            LEVELS.join(", ")
        );
    }
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
}

/// Returns the filter as typed, or `None` if it is not valid. A word that is not a level would be read as a module's
/// name and turn off all other messages.
fn filter(typed: &str) -> Option<String> {
    let is_number = |part: &str| part.parse::<usize>().is_ok_and(|level| level < LEVELS.len());
    let is_level = |part: &str| LEVELS.contains(&part.to_ascii_lowercase().as_str()) || is_number(part);
    let is_meant = |part: &&str| is_level(part) || part.contains(['=', '[']) || part.contains("::");
    let parts: Vec<&str> = typed.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let joined = parts.join(",");
    (!parts.is_empty() && parts.iter().all(is_meant) && EnvFilter::try_new(&joined).is_ok()).then_some(joined)
}

/// Returns whether the log has colors; `no_color`: the variable NO_COLOR has a value (<https://no-color.org>).
fn is_colored(no_color: bool, term: Option<&str>, is_terminal: bool) -> bool {
    is_terminal && !no_color && term != Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_is_not_taken_for_a_module() {
        for typed in ["debug", "WARN", "3", "off", "warn,dermake=trace", "hyper::proto=debug", "info,"] {
            assert!(filter(typed).is_some(), "{typed}");
        }
        for typed in ["verbose", "", "dermake=loud", "warn,loud", "6"] {
            assert_eq!(filter(typed), None, "{typed}");
        }
    }

    #[test]
    fn colors_are_for_terminals_that_are_not_asked_to_go_without() {
        assert!(is_colored(false, Some("xterm"), true) && is_colored(false, None, true));
        assert!(!is_colored(true, Some("xterm"), true));
        assert!(!is_colored(false, Some("dumb"), true));
        assert!(!is_colored(false, Some("xterm"), false));
    }
}
