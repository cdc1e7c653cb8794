//! Detects the kind of a file from its first bytes; its name does not matter.

use crate::picture_format::PictureFormat;
use std::fmt;

/// The kind of a file, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A picture of a format that is decoded.
    Picture(PictureFormat),
    /// Any other file.
    Other(OtherFile),
}

/// A file that is not decoded. Its `Display` says what the file is and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtherFile {
    /// No bytes.
    Empty,
    /// Only zeros, as broken copies and downloads leave them.
    Zeros,
    /// HEIC and HEIF.
    Heic,
    /// DICOM.
    Dicom,
    /// A camera's unprocessed file: DNG, CR2, CR3, NEF, ARW and the like.
    Raw,
    /// A picture of this format.
    Picture(&'static str),
    /// An SVG drawing.
    Svg,
    /// A PDF document.
    Pdf,
    /// A video.
    Video,
    /// An HTML page.
    WebPage,
    /// A Git LFS pointer.
    LfsPointer,
    /// An archive: ZIP (office documents, too), gzip, 7z or RAR.
    Archive,
    /// A file that macOS writes on other systems' disks for each file: `._photo.jpg`.
    AppleDouble,
    /// Text.
    Text,
    /// None of these.
    Unknown,
}

impl FileKind {
    /// How many bytes from the start of a file [`FileKind::of`] reads.
    pub const HEAD_BYTES: usize = 1024;

    /// Detects the kind of a file from its first [`HEAD_BYTES`](Self::HEAD_BYTES) bytes, or all of them when there are
    /// fewer.
    ///
    /// Some raw files of cameras have the structure of a TIFF and count as TIFF here; decoding refuses them.
    pub fn of(head: &[u8]) -> Self {
        let head = &head[..head.len().min(Self::HEAD_BYTES)];
        match PictureFormat::of(head) {
            Some(format) => Self::Picture(format),
            None => Self::Other(OtherFile::of(head)),
        }
    }
}

/// Brands of containers that hold pictures compressed as HEVC, or that do not say how.
const HEIF_BRANDS: [&[u8; 4]; 10] =
    [b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"];

/// First bytes, from an offset on, and what they mean.
const SIGNATURES: [(usize, &[u8], OtherFile); 43] = [
    (0, b"IIU\0", OtherFile::Raw),  // Panasonic
    (0, b"IIRO", OtherFile::Raw),   // Olympus
    (0, b"IIRS", OtherFile::Raw),   // Olympus
    (0, b"MMOR", OtherFile::Raw),   // Olympus
    (8, b"CR\x02", OtherFile::Raw), // Canon
    (0, b"FUJIFILMCCD-RAW", OtherFile::Raw),
    (0, b"FOVb", OtherFile::Raw), // Sigma
    (128, b"DICM", OtherFile::Dicom),
    (0, b"\x08\0\x05\0", OtherFile::Dicom),       // without its preamble
    (0, b"\x02\0\0\0UL\x04\0", OtherFile::Dicom), // without its preamble
    (0, b"\xff\x0a", OtherFile::Picture("JPEG XL")),
    (0, b"\0\0\0\x0cJXL ", OtherFile::Picture("JPEG XL")),
    (0, b"\0\0\0\x0cjP  ", OtherFile::Picture("JPEG 2000")),
    (0, b"\xff\x4f\xff\x51", OtherFile::Picture("JPEG 2000")),
    (0, b"II\xbc", OtherFile::Picture("JPEG XR")),
    (0, b"II+\0", OtherFile::Picture("BigTIFF")),
    (0, b"MM\0+", OtherFile::Picture("BigTIFF")),
    (0, b"8BPS", OtherFile::Picture("Photoshop's PSD")),
    (0, b"gimp xcf", OtherFile::Picture("GIMP's XCF")),
    (0, b"\0\0\x01\0", OtherFile::Picture("ICO")),
    (0, b"\x76\x2f\x31\x01", OtherFile::Picture("OpenEXR")),
    (0, b"#?RADIANCE", OtherFile::Picture("Radiance HDR")),
    (0, b"qoif", OtherFile::Picture("QOI")),
    (0, b"DDS ", OtherFile::Picture("DDS")),
    (0, b"SIMPLE  =", OtherFile::Picture("FITS")),
    (0, b"AT&TFORM", OtherFile::Picture("DjVu")),
    (40, b" EMF", OtherFile::Picture("EMF")),
    (0, b"\xd7\xcd\xc6\x9a", OtherFile::Picture("WMF")),
    (0, b"%!PS", OtherFile::Picture("PostScript")),
    (0, b"\x1a\x45\xdf\xa3", OtherFile::Video), // Matroska, WebM
    (8, b"AVI ", OtherFile::Video),
    (0, b"\0\0\x01\xba", OtherFile::Video), // MPEG
    (0, b"\0\0\x01\xb3", OtherFile::Video), // MPEG
    (4, b"moov", OtherFile::Video),
    (4, b"mdat", OtherFile::Video),
    (4, b"wide", OtherFile::Video),
    (0, b"PK\x03\x04", OtherFile::Archive),
    (0, b"\x1f\x8b", OtherFile::Archive),
    (0, b"7z\xbc\xaf\x27\x1c", OtherFile::Archive),
    (0, b"Rar!\x1a\x07", OtherFile::Archive),
    (0, b"\0\x05\x16\x07", OtherFile::AppleDouble),
    (0, b"version https://git-lfs", OtherFile::LfsPointer),
    (0, b"version https://hawser", OtherFile::LfsPointer),
];

impl OtherFile {
    fn of(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::Empty;
        }
        if head.get(4..8) == Some(b"ftyp") {
            return Self::of_brands(head);
        }
        let has = |at: usize, bytes: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(bytes));
        if let Some((.., kind)) = SIGNATURES.into_iter().find(|(at, bytes, _)| has(*at, bytes)) {
            return kind;
        }
        if head.windows(5).any(|bytes| bytes == b"%PDF-") {
            return Self::Pdf;
        }
        // A PNM: its letter, a number of 1 to 7, white space.
        if let [b'P', b'1'..=b'7', space, ..] = head
            && space.is_ascii_whitespace()
        {
            return Self::Picture("PNM (PBM, PGM, PPM)");
        }
        if head.iter().all(|&byte| byte == 0) {
            return Self::Zeros;
        }
        Self::of_text(head)
    }

    /// A container of ISO base media: its brands tell pictures from videos.
    fn of_brands(head: &[u8]) -> Self {
        let length = head.first_chunk().copied().map_or(0, u32::from_be_bytes) as usize;
        let brands = head.get(8..length.clamp(8, head.len())).unwrap_or_default().as_chunks::<4>().0;
        let is_any = |names: &[&[u8; 4]]| brands.iter().any(|brand| names.contains(&brand));
        if is_any(&[b"avif", b"avis"]) {
            Self::Picture("AVIF")
        } else if is_any(&HEIF_BRANDS) {
            Self::Heic
        } else if is_any(&[b"crx "]) {
            Self::Raw
        } else {
            Self::Video
        }
    }

    fn of_text(head: &[u8]) -> Self {
        let text = match std::str::from_utf8(head) {
            Ok(text) => text,
            // Cut within a character.
            Err(err) if err.error_len().is_none() => {
                std::str::from_utf8(&head[..err.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return Self::Unknown,
        };
        let text = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
        let is_xml = text.starts_with("<?xml") || text.starts_with("<!--") || text.starts_with("<!doctype svg");
        let is_page = text.starts_with("<!doctype html") || text.starts_with("<html");
        if text.starts_with("<svg") || (is_xml && text.contains("<svg")) {
            Self::Svg
        } else if is_page || (is_xml && text.contains("<html")) {
            Self::WebPage
        } else if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            Self::Unknown
        } else {
            Self::Text
        }
    }

    /// Whether the file holds a picture, though of a kind that is not decoded.
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Heic | Self::Dicom | Self::Raw | Self::Picture(_) | Self::Svg)
    }
}

impl fmt::Display for OtherFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Picture(format) => {
                return write!(f, "{format} is not read; convert the picture to JPEG or PNG");
            }
            Self::Empty => "the file is empty",
            Self::Zeros => "the file holds nothing but zeros, as a broken copy or download does; fetch it again",
            Self::Heic => {
                "HEIC is not read; export the photo as JPEG (iPhone: Settings > Camera > Formats > Most Compatible)"
            }
            Self::Dicom => {
                "DICOM is not read; export the image as PNG or JPEG, for instance with the viewer or DCMTK's dcmj2pnm"
            }
            Self::Raw => "a camera's raw file is not read; export the photo as JPEG",
            Self::Svg => "SVG is not read; export the drawing as PNG",
            Self::Pdf => "a PDF document is not read; export the picture in it as JPEG or PNG",
            Self::Video => "a video is not read; save one of its frames as JPEG or PNG",
            Self::WebPage => "the file is a web page (HTML), not the picture; download the picture itself",
            Self::LfsPointer => "the file is a Git LFS pointer, not the picture; run `git lfs pull`",
            Self::Archive => "the file is an archive or office document, not a picture; unpack it",
            Self::AppleDouble => "the file holds macOS attributes of a picture, not the picture",
            Self::Text => "the file is a text, not a picture (expected JPEG, PNG, WebP, GIF, BMP or TIFF)",
            Self::Unknown => "not a readable image (expected JPEG, PNG, WebP, GIF, BMP or TIFF)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(head: &[u8]) -> OtherFile {
        match FileKind::of(head) {
            FileKind::Other(kind) => kind,
            FileKind::Picture(format) => panic!("{format:?}"),
        }
    }

    fn brands(names: &str) -> Vec<u8> {
        let length = 8 + names.len() as u32;
        [&length.to_be_bytes(), &b"ftyp"[..], names.as_bytes(), b"\0\0\0\x08free"].concat()
    }

    #[test]
    fn containers_are_told_by_their_brands() {
        for (names, expected) in [
            ("heic\0\0\0\0mif1heic", OtherFile::Heic),
            ("mif1\0\0\0\0mif1heic", OtherFile::Heic),
            ("avif\0\0\0\0avifmif1miaf", OtherFile::Picture("AVIF")),
            ("mif1\0\0\0\0mif1avif", OtherFile::Picture("AVIF")),
            ("crx \0\0\0\x01crx isom", OtherFile::Raw),
            ("qt  \0\0\0\0qt  ", OtherFile::Video),
            ("isom\0\0\x02\0isomiso2avc1mp41", OtherFile::Video),
        ] {
            assert_eq!(other(&brands(names)), expected, "{names}");
        }
        assert_eq!(other(b"\0\0\0\x18ftyp"), OtherFile::Video);
        assert_eq!(other(b"\xff\xff\xff\xffftypheic"), OtherFile::Heic);
    }

    #[test]
    fn other_files_are_told_by_their_first_bytes() {
        let dicom = [&[0; 128][..], b"DICM\x02\0\0\0UL"].concat();
        for (head, expected) in [
            (&b""[..], OtherFile::Empty),
            (&[0; 3000], OtherFile::Zeros),
            (&dicom, OtherFile::Dicom),
            (b"II*\0\x10\0\0\0CR\x02\0", OtherFile::Raw),
            (b"\xff\x0a\xfa\x7f", OtherFile::Picture("JPEG XL")),
            (b"II+\0\x08\0\0\0", OtherFile::Picture("BigTIFF")),
            (b"P5\n4 4\n65535\n", OtherFile::Picture("PNM (PBM, PGM, PPM)")),
            (b"%PDF-1.7\n", OtherFile::Pdf),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", OtherFile::Svg),
            (b"\r\n<!DOCTYPE HTML><title>Sign in</title>", OtherFile::WebPage),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", OtherFile::LfsPointer),
            (b"PK\x03\x04\x14\0", OtherFile::Archive),
            (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", OtherFile::AppleDouble),
            (b"BMI,age,sex\n22.4,41,f\n", OtherFile::Text),
            ("Melanom, Näv".as_bytes(), OtherFile::Text),
            (b"B", OtherFile::Text),
            (b"\x01\x02\x03 what is this", OtherFile::Unknown),
            (b"RIFF\x10\0\0\0WAVEfmt ", OtherFile::Unknown),
        ] {
            assert_eq!(other(head), expected, "{head:?}");
        }
    }

    #[test]
    fn pictures_that_cannot_be_decoded_are_still_pictures() {
        assert!(OtherFile::Heic.is_picture() && OtherFile::Picture("AVIF").is_picture());
        assert!(!OtherFile::Text.is_picture() && !OtherFile::LfsPointer.is_picture());
    }
}
