//! Decides what the page does with a drop or a paste.

use super::NewPhoto;
use crate::error::Error;

/// The content of a drop or a paste.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropOrPaste {
    pub files: Vec<DroppedFile>,
    /// Its plain text; empty if there is none.
    pub text: String,
    /// Whether it has a link, as a picture that is dragged out of another page does.
    pub has_link: bool,
    /// Whether its target is a text field.
    pub is_for_editable: bool,
}

/// One of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DroppedFile {
    pub name: String,
    pub is_folder: bool,
}

/// What the page does with a drop or a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropDecision {
    /// Leaves it to the browser.
    Ignore,
    /// Uses the only file as the photo.
    Photo(NewPhoto),
    /// Shows all files, and those in folders, in a table.
    Many,
    Refuse(Error),
}

impl DropOrPaste {
    /// Decides on a drop: one file is the photo, several and folders fill a table. Without a file, refuses links and
    /// ignores text.
    pub fn dropped(&self) -> DropDecision {
        match self.files.is_empty() {
            true if self.has_link && !self.is_for_editable => DropDecision::Refuse(Error::LinkWithoutFile),
            true => DropDecision::Ignore,
            false => self.photos(),
        }
    }

    /// Decides on a paste. Text takes precedence over pictures: spreadsheets and word processors add a picture of the
    /// text that they copy.
    pub fn pasted(&self) -> DropDecision {
        let has_text = !self.text.trim().is_empty();
        match self.files.is_empty() {
            true => DropDecision::Ignore,
            false if has_text && self.is_for_editable => DropDecision::Ignore,
            false if has_text && !self.text_names_the_files() => DropDecision::Refuse(Error::TextWithPicture),
            false => self.photos(),
        }
    }

    fn photos(&self) -> DropDecision {
        match &self.files[..] {
            [file] if !file.is_folder => DropDecision::Photo(NewPhoto { name: file.name.clone() }),
            _ => DropDecision::Many,
        }
    }

    /// Whether the text is only the files' names, paths or URL, as file managers and browsers add them.
    fn text_names_the_files(&self) -> bool {
        let lines: Vec<&str> =
            self.text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect();
        match lines[..] {
            [url] if is_url(url) => true,
            _ => {
                lines.len() == self.files.len()
                    && lines.iter().zip(&self.files).all(|(line, file)| file.is_named(line))
            }
        }
    }
}

impl DroppedFile {
    /// Whether the line is its name or path. Names in another Unicode normal form are recognized by their extension.
    fn is_named(&self, line: &str) -> bool {
        let extension = |name: &str| name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let name = line.rsplit(['/', '\\']).next().unwrap_or(line);
        name == self.name || extension(name).is_some_and(|found| extension(&self.name) == Some(found))
    }
}

fn is_url(line: &str) -> bool {
    let schemes = ["file:", "http://", "https://", "blob:", "data:image/"];
    schemes.iter().any(|scheme| line.starts_with(scheme)) && !line.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> DroppedFile {
        DroppedFile { name: name.into(), is_folder: false }
    }

    fn with_files(files: &[DroppedFile]) -> DropOrPaste {
        DropOrPaste { files: files.into(), ..DropOrPaste::default() }
    }

    fn photo(name: &str) -> DropDecision {
        DropDecision::Photo(NewPhoto { name: name.into() })
    }

    #[test]
    fn dropped_text_is_ignored_and_dropped_links_are_refused() {
        let text = DropOrPaste { text: "acne".into(), ..DropOrPaste::default() };
        assert_eq!(text.dropped(), DropDecision::Ignore);
        let link = DropOrPaste { text: "https://x.org/a.jpg".into(), has_link: true, ..DropOrPaste::default() };
        assert_eq!(link.dropped(), DropDecision::Refuse(Error::LinkWithoutFile));
        let into_the_box = DropOrPaste { is_for_editable: true, ..link };
        assert_eq!(into_the_box.dropped(), DropDecision::Ignore);
    }

    #[test]
    fn one_file_is_the_photo_and_several_or_a_folder_fill_a_table() {
        let folder = DroppedFile { name: "DCIM".into(), is_folder: true };
        assert_eq!(with_files(&[file("a.jpg")]).dropped(), photo("a.jpg"));
        assert_eq!(with_files(&[file("notes.txt")]).dropped(), photo("notes.txt"));
        assert_eq!(with_files(&[file("a.jpg"), file("b.jpg")]).dropped(), DropDecision::Many);
        assert_eq!(with_files(std::slice::from_ref(&folder)).dropped(), DropDecision::Many);
        assert_eq!(with_files(&[folder, file("a.jpg")]).dropped(), DropDecision::Many);
        let from_another_page = DropOrPaste { has_link: true, ..with_files(&[file("p.png")]) };
        assert_eq!(from_another_page.dropped(), photo("p.png"));
    }

    #[test]
    fn text_takes_precedence_over_the_picture_that_a_spreadsheet_adds() {
        let picture = file("image.png");
        for text in ["acne\trosacea\r\n", "acne", "acne, rosacea\nsee https://x.org"] {
            let cells = DropOrPaste { text: text.into(), ..with_files(std::slice::from_ref(&picture)) };
            assert_eq!(cells.pasted(), DropDecision::Refuse(Error::TextWithPicture), "{text:?}");
            let into_the_box = DropOrPaste { is_for_editable: true, ..cells };
            assert_eq!(into_the_box.pasted(), DropDecision::Ignore);
        }
        let text_alone = DropOrPaste { text: "acne".into(), ..DropOrPaste::default() };
        assert_eq!(text_alone.pasted(), DropDecision::Ignore);
    }

    #[test]
    fn a_pasted_photo_is_used_when_the_text_is_only_its_name() {
        let picture = file("image.png");
        let pasted =
            |text: &str, files: &[DroppedFile]| DropOrPaste { text: text.into(), ..with_files(files) }.pasted();
        let one = std::slice::from_ref(&picture);
        for text in
            ["", " \n", "https://x.org/p.jpg?w=3", "file:///home/x/p.jpg", "image.png", "C:\\pictures\\image.png"]
        {
            assert_eq!(pasted(text, one), photo("image.png"), "{text:?}");
        }
        // A file manager's copy of two files; the second name is in another normal form.
        let two = [file("a.jpg"), file("\u{e9}.jpg")];
        assert_eq!(pasted("/home/x/a.jpg\n/home/x/e\u{301}.jpg\n", &two), DropDecision::Many);
        // A screenshot, while the labels' box has the focus.
        let screenshot = DropOrPaste { is_for_editable: true, ..with_files(one) };
        assert_eq!(screenshot.pasted(), photo("image.png"));
    }
}
