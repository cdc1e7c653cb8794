//! The languages of the page: which there are, and which of them a visitor reads.

mod catalog;

pub use catalog::Catalog;

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
    Spanish,
    French,
    Portuguese,
    Chinese,
}

impl Language {
    /// As the page offers them.
    pub const ALL: [Self; 6] =
        [Self::English, Self::German, Self::Spanish, Self::French, Self::Portuguese, Self::Chinese];

    /// Its tag, which is also the name of its folder of texts.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Portuguese => "pt-BR",
            Self::Chinese => "zh-CN",
        }
    }

    /// Its name in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Spanish => "Español",
            Self::French => "Français",
            Self::Portuguese => "Português (Brasil)",
            Self::Chinese => "简体中文",
        }
    }

    /// What it writes between the whole and the decimals of a number.
    pub fn decimal_mark(self) -> &'static str {
        match self {
            Self::English | Self::Chinese => ".",
            Self::German | Self::Spanish | Self::French | Self::Portuguese => ",",
        }
    }

    /// The language of a tag such as `de-CH`. Only the first part of the tag counts, so that the page is in the nearest
    /// language that it has.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| primary(language.code()) == primary(tag.trim()))
    }

    /// The language to begin with: that of the address, else the one that the visitor chose earlier, else the first of the
    /// browser's that the page has, else English.
    pub fn preferred(address: Option<&str>, chosen: Option<&str>, browser: &[String]) -> Self {
        let tags = address.into_iter().chain(chosen).chain(browser.iter().map(String::as_str));
        tags.into_iter().find_map(Self::of_tag).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_of_a_tag_is_found() {
        for (tag, language) in [
            ("en-GB", Language::English),
            ("de", Language::German),
            ("DE_at", Language::German),
            ("pt-PT", Language::Portuguese),
            ("zh", Language::Chinese),
            ("zh-Hant-TW", Language::Chinese),
        ] {
            assert_eq!(Language::of_tag(tag), Some(language), "{tag}");
        }
        for tag in ["", "-", "nl", "deu", "*"] {
            assert_eq!(Language::of_tag(tag), None, "{tag}");
        }
        assert!(Language::ALL.into_iter().all(|language| Language::of_tag(language.code()) == Some(language)));
    }

    #[test]
    fn the_address_counts_before_the_choice_and_the_choice_before_the_browser() {
        let browser = ["nl-BE", "fr-BE", "de"].map(String::from);
        assert_eq!(Language::preferred(Some("es"), Some("de"), &browser), Language::Spanish);
        assert_eq!(Language::preferred(None, Some("de"), &browser), Language::German);
        assert_eq!(Language::preferred(Some("xx"), None, &browser), Language::French);
        assert_eq!(Language::preferred(None, None, &browser[..1]), Language::English);
    }
}
