//! Decides what the page does with a drop or a paste, and which file is the photo.

use super::NewPhoto;
use crate::error::Error;
use shared_model::preprocess::PictureFormat;

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
    /// Media type that the browser derives from the name; often empty.
    pub media_type: String,
    pub is_folder: bool,
}

/// What the page does with a drop or a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropDecision {
    /// Leaves it to the browser.
    Ignore,
    /// Uses the file with this index as the photo.
    Photo {
        index: usize,
        photo: NewPhoto,
    },
    Refuse(Error),
}

impl DropOrPaste {
    /// Decides on a drop: uses the first photo among the files. Without a file, refuses links and ignores text.
    pub fn dropped(&self) -> DropDecision {
        match self.files.is_empty() {
            true if self.has_link && !self.is_for_editable => DropDecision::Refuse(Error::LinkWithoutFile),
            true => DropDecision::Ignore,
            false => self.first_photo(),
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
            false => self.first_photo(),
        }
    }

    fn first_photo(&self) -> DropDecision {
        let files = self.files.iter().enumerate().filter(|(_, file)| !file.is_folder);
        match files.min_by_key(|(_, file)| file.unlikeliness()) {
            Some((index, file)) => {
                let photo = NewPhoto { name: file.name.clone(), n_others: self.files.len() - 1 };
                DropDecision::Photo { index, photo }
            }
            None => DropDecision::Refuse(Error::Folder),
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
    /// 0 for a type that can be decoded; the higher, the less likely the file is a photo.
    fn unlikeliness(&self) -> u8 {
        match self.media_type.as_str() {
            known if PictureFormat::ALL.iter().any(|format| format.media_type() == known) => 0,
            other if other.starts_with("image/") => 1,
            "" => 2,
            _ => 3,
        }
    }

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

    fn file(name: &str, media_type: &str) -> DroppedFile {
        DroppedFile { name: name.into(), media_type: media_type.into(), is_folder: false }
    }

    fn folder(name: &str) -> DroppedFile {
        DroppedFile { is_folder: true, ..file(name, "") }
    }

    fn with_files(files: &[DroppedFile]) -> DropOrPaste {
        DropOrPaste { files: files.into(), ..DropOrPaste::default() }
    }

    fn photo(index: usize, name: &str, n_others: usize) -> DropDecision {
        DropDecision::Photo { index, photo: NewPhoto { name: name.into(), n_others } }
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
    fn the_first_photo_of_several_files_is_used() {
        let many =
            [folder("DCIM"), file("Thumbs.db", ""), file("a.heic", "image/heic"), file("b.JPG", "image/jpeg")];
        assert_eq!(with_files(&many).dropped(), photo(3, "b.JPG", 3));
        assert_eq!(with_files(&many[..3]).dropped(), photo(2, "a.heic", 2));
        assert_eq!(with_files(&many[..2]).dropped(), photo(1, "Thumbs.db", 1));
        assert_eq!(with_files(&[file("notes.txt", "text/plain")]).dropped(), photo(0, "notes.txt", 0));
        assert_eq!(with_files(&[folder("DCIM")]).dropped(), DropDecision::Refuse(Error::Folder));
        let from_another_page = DropOrPaste { has_link: true, ..with_files(&[file("p.png", "image/png")]) };
        assert_eq!(from_another_page.dropped(), photo(0, "p.png", 0));
    }

    #[test]
    fn text_takes_precedence_over_the_picture_that_a_spreadsheet_adds() {
        let picture = file("image.png", "image/png");
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
        let picture = file("image.png", "image/png");
        let pasted =
            |text: &str, files: &[DroppedFile]| DropOrPaste { text: text.into(), ..with_files(files) }.pasted();
        let one = std::slice::from_ref(&picture);
        for text in
            ["", " \n", "https://x.org/p.jpg?w=3", "file:///home/x/p.jpg", "image.png", "C:\\pictures\\image.png"]
        {
            assert_eq!(pasted(text, one), photo(0, "image.png", 0), "{text:?}");
        }
        // A file manager's copy of two files; the second name is in another normal form.
        let two = [file("a.jpg", "image/jpeg"), file("\u{e9}.jpg", "image/jpeg")];
        assert_eq!(pasted("/home/x/a.jpg\n/home/x/e\u{301}.jpg\n", &two), photo(0, "a.jpg", 1));
        // A screenshot, while the labels' box has the focus.
        let screenshot = DropOrPaste { is_for_editable: true, ..with_files(one) };
        assert_eq!(screenshot.pasted(), photo(0, "image.png", 0));
    }
}
