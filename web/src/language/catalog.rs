//! The texts of a language. `texts.rs` has a function for each of them.

use super::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::fmt;
use unic_langid::LanguageIdentifier;

/// The English texts.
const ENGLISH: &str = include_str!(concat!(env!("OUT_DIR"), "/english.ftl"));

/// The identifiers of all texts.
const IDS: &[&str] = include!(concat!(env!("OUT_DIR"), "/text_ids.rs"));

/// The texts of a language, with its rules for plurals.
pub struct Catalog {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Catalog {
    /// The English catalog, which is part of the program.
    pub fn english() -> Self {
        Self::parse(Language::English, ENGLISH.into()).expect("the build has checked the English texts")
    }

    /// Parses a catalog; `None` if it is damaged or has not all texts.
    pub fn parse(language: Language, source: String) -> Option<Self> {
        let tag: LanguageIdentifier = language.code().parse().ok()?;
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        bundle.set_use_isolating(false); // the page's text is not mixed with letters of the other direction
        bundle.add_resource(FluentResource::try_new(source).ok()?).ok()?;
        IDS.iter().all(|id| bundle.has_message(id)).then_some(Self { language, bundle })
    }

    pub fn language(&self) -> Language {
        self.language
    }

    /// Writes numbers, whose decimal point becomes the decimal mark of the language. For all decimals that the page shows;
    /// files and attributes keep the point.
    pub fn decimal(&self, numbers: impl fmt::Display) -> String {
        numbers.to_string().replace('.', self.language.decimal_mark())
    }

    /// The text with this identifier. The functions of `texts.rs` call it, so it exists, with these arguments.
    pub(crate) fn text(&self, id: &str, args: &[(&'static str, FluentValue<'_>)]) -> String {
        let (text, errors) = self.text_and_errors(id, args);
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        text
    }

    /// The text with this identifier, and what is wrong with it or its arguments.
    pub fn text_and_errors(&self, id: &str, args: &[(&'static str, FluentValue<'_>)]) -> (String, Vec<String>) {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            return (String::new(), vec!["the catalog does not have this text".into()]);
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        (text, errors.iter().map(ToString::to_string).collect())
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("language", &self.language).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_the_mark_of_the_language() {
        let figure = "0.017 (0.012–0.032)";
        for (language, written) in [
            (Language::English, figure),
            (Language::German, "0,017 (0,012–0,032)"),
            (Language::Spanish, "0,017 (0,012–0,032)"),
            (Language::French, "0,017 (0,012–0,032)"),
            (Language::Portuguese, "0,017 (0,012–0,032)"),
            (Language::Chinese, figure),
        ] {
            let catalog = Catalog::parse(language, ENGLISH.into()).unwrap();
            assert_eq!(catalog.decimal(figure), written, "{language:?}");
            assert_eq!([catalog.decimal(1234), catalog.decimal("n/a")], ["1234", "n/a"], "{language:?}");
        }
    }

    #[test]
    fn a_catalog_that_is_damaged_or_lacks_a_text_is_refused() {
        assert!(Catalog::parse(Language::German, ENGLISH.into()).is_some());
        assert!(Catalog::parse(Language::German, format!("{ENGLISH}\n???")).is_none());
        assert!(Catalog::parse(Language::German, ENGLISH[..ENGLISH.len() / 2].into()).is_none());
        assert!(Catalog::parse(Language::German, "<html>Sign in</html>".into()).is_none());
    }
}
