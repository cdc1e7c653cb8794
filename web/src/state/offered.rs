//! What was dropped or pasted, and which of it is the photo.

use super::NewPhoto;
use crate::error::Error;
use shared_model::preprocess::PictureFormat;

/// The content of a drop or a paste.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    pub files: Vec<OfferedFile>,
    /// Its plain text; empty where there is none.
    pub text: String,
    /// Whether it stands for something elsewhere, as a link does and a picture that is dragged out of another page.
    pub has_link: bool,
    /// Whether it is for a box that people type in.
    pub is_for_editable: bool,
}

/// One file among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferedFile {
    pub name: String,
    /// As the browser guesses it from the name; often empty.
    pub media_type: String,
    pub is_folder: bool,
}

/// What the page does with a drop or a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing: it is the browser's.
    Leave,
    /// The file of this index is the photo.
    Photo {
        index: usize,
        photo: NewPhoto,
    },
    Refuse(Error),
}

impl Offered {
    /// Decides on a drop: the first photo among the files; without a file, a sentence about links, and text is left to
    /// the browser.
    pub fn dropped(&self) -> Choice {
        match self.files.is_empty() {
            true if self.has_link && !self.is_for_editable => Choice::Refuse(Error::LinkWithoutFile),
            true => Choice::Leave,
            false => self.first_photo(),
        }
    }

    /// Decides on a paste. Text wins over pictures: programs for tables and documents copy a picture of the text along.
    pub fn pasted(&self) -> Choice {
        let has_text = !self.text.trim().is_empty();
        match self.files.is_empty() {
            true => Choice::Leave,
            false if has_text && self.is_for_editable => Choice::Leave,
            false if has_text && !self.text_names_the_files() => Choice::Refuse(Error::TextWithPicture),
            false => self.first_photo(),
        }
    }

    fn first_photo(&self) -> Choice {
        let files = self.files.iter().enumerate().filter(|(_, file)| !file.is_folder);
        match files.min_by_key(|(_, file)| file.unlikeliness()) {
            Some((index, file)) => {
                let photo = NewPhoto { name: file.name.clone(), n_others: self.files.len() - 1 };
                Choice::Photo { index, photo }
            }
            None => Choice::Refuse(Error::Folder),
        }
    }

    /// Whether the text is no more than the files' names, paths or address, as file managers and browsers add them.
    fn text_names_the_files(&self) -> bool {
        let lines: Vec<&str> =
            self.text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect();
        match lines[..] {
            [address] if is_address(address) => true,
            _ => {
                lines.len() == self.files.len()
                    && lines.iter().zip(&self.files).all(|(line, file)| file.is_named(line))
            }
        }
    }
}

impl OfferedFile {
    /// 0 for a type that can be read here; the more, the less likely is it a photo.
    fn unlikeliness(&self) -> u8 {
        match self.media_type.as_str() {
            known if PictureFormat::ALL.iter().any(|format| format.media_type() == known) => 0,
            other if other.starts_with("image/") => 1,
            "" => 2,
            _ => 3,
        }
    }

    /// By its name or path, or by one that is written in other code points and so shares the ending only.
    fn is_named(&self, line: &str) -> bool {
        let ending = |name: &str| name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let name = line.rsplit(['/', '\\']).next().unwrap_or(line);
        name == self.name || ending(name).is_some_and(|found| ending(&self.name) == Some(found))
    }
}

fn is_address(line: &str) -> bool {
    let schemes = ["file:", "http://", "https://", "blob:", "data:image/"];
    schemes.iter().any(|scheme| line.starts_with(scheme)) && !line.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, media_type: &str) -> OfferedFile {
        OfferedFile { name: name.into(), media_type: media_type.into(), is_folder: false }
    }

    fn folder(name: &str) -> OfferedFile {
        OfferedFile { is_folder: true, ..file(name, "") }
    }

    fn with_files(files: &[OfferedFile]) -> Offered {
        Offered { files: files.into(), ..Offered::default() }
    }

    fn photo(index: usize, name: &str, n_others: usize) -> Choice {
        Choice::Photo { index, photo: NewPhoto { name: name.into(), n_others } }
    }

    #[test]
    fn text_and_links_that_are_dropped_are_left_alone_or_explained() {
        let text = Offered { text: "acne".into(), ..Offered::default() };
        assert_eq!(text.dropped(), Choice::Leave);
        let link = Offered { text: "https://x.org/a.jpg".into(), has_link: true, ..Offered::default() };
        assert_eq!(link.dropped(), Choice::Refuse(Error::LinkWithoutFile));
        let into_the_box = Offered { is_for_editable: true, ..link };
        assert_eq!(into_the_box.dropped(), Choice::Leave);
    }

    #[test]
    fn of_several_files_the_first_photo_is_taken() {
        let many =
            [folder("DCIM"), file("Thumbs.db", ""), file("a.heic", "image/heic"), file("b.JPG", "image/jpeg")];
        assert_eq!(with_files(&many).dropped(), photo(3, "b.JPG", 3));
        assert_eq!(with_files(&many[..3]).dropped(), photo(2, "a.heic", 2));
        assert_eq!(with_files(&many[..2]).dropped(), photo(1, "Thumbs.db", 1));
        assert_eq!(with_files(&[file("notes.txt", "text/plain")]).dropped(), photo(0, "notes.txt", 0));
        assert_eq!(with_files(&[folder("DCIM")]).dropped(), Choice::Refuse(Error::Folder));
        let from_another_page = Offered { has_link: true, ..with_files(&[file("p.png", "image/png")]) };
        assert_eq!(from_another_page.dropped(), photo(0, "p.png", 0));
    }

    #[test]
    fn text_wins_over_the_picture_that_a_table_program_copies_along() {
        let picture = file("image.png", "image/png");
        for text in ["acne\trosacea\r\n", "acne", "acne, rosacea\nsee https://x.org"] {
            let cells = Offered { text: text.into(), ..with_files(std::slice::from_ref(&picture)) };
            assert_eq!(cells.pasted(), Choice::Refuse(Error::TextWithPicture), "{text:?}");
            let into_the_box = Offered { is_for_editable: true, ..cells };
            assert_eq!(into_the_box.pasted(), Choice::Leave);
        }
        let text_alone = Offered { text: "acne".into(), ..Offered::default() };
        assert_eq!(text_alone.pasted(), Choice::Leave);
    }

    #[test]
    fn a_pasted_photo_is_taken_with_the_names_that_come_along() {
        let picture = file("image.png", "image/png");
        let pasted =
            |text: &str, files: &[OfferedFile]| Offered { text: text.into(), ..with_files(files) }.pasted();
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
        let screenshot = Offered { is_for_editable: true, ..with_files(one) };
        assert_eq!(screenshot.pasted(), photo(0, "image.png", 0));
    }
}
