//! The picture formats that are decoded: their names, and the bytes with which their files begin.

/// The picture formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF.
    Tiff,
}

impl PictureFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [Self::Jpeg, Self::Png, Self::WebP, Self::Gif, Self::Bmp, Self::Tiff];

    /// Returns the media type under which browsers know the format.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
        }
    }

    /// Returns what names of such files end with behind the dot, in lower case.
    pub fn file_endings(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Png => &["png"],
            Self::WebP => &["webp"],
            Self::Gif => &["gif"],
            Self::Bmp => &["bmp"],
            Self::Tiff => &["tif", "tiff"],
        }
    }

    /// Detects the format of a file from its first bytes.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        // "CR" at 8 is Canon's raw file, otherwise a TIFF.
        let is_tiff = (head.starts_with(b"II*\0") || head.starts_with(b"MM\0*")) && head.get(8..10) != Some(b"CR");
        match head {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            _ if head.starts_with(b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") => Some(Self::WebP),
            _ if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") => Some(Self::Gif),
            _ if is_bmp(head) => Some(Self::Bmp),
            _ if is_tiff => Some(Self::Tiff),
            _ => None,
        }
    }
}

/// "BM" alone also begins texts: the length of the header that follows must be one that exists.
fn is_bmp(head: &[u8]) -> bool {
    let header_bytes = head.get(14..).and_then(|rest| rest.first_chunk().copied()).map(u32::from_le_bytes);
    head.starts_with(b"BM") && header_bytes.is_none_or(|bytes| (12..=124).contains(&bytes))
}
