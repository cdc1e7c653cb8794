//! Decodes pictures from files or bytes, for every command, the trainer and the server.
//!
//! No file can end the program: each problem is an error, and so is a panic of a decoder.
//!
//! Of decoded pictures, [`PerceptualHashes`] tells copies, and [`FaceDetector`] and [`has_text`] say what a person should
//! look at before others see them.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod burnt_in_text;
mod faces;
mod map_picture;
pub mod panics;
mod perceptual;

pub use burnt_in_text::has_text;
pub use faces::FaceDetector;
pub use map_picture::map_picture;
pub use perceptual::{N_BITS, PerceptualHashes};

use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{self, DecodedImage, FileKind, Reading};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Why a picture cannot be used. Displayed, it is a sentence without the path.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The path is empty.
    #[error("there is no image")]
    NoImage,
    #[error("there is no such file")]
    Missing,
    #[error("a folder, not a picture")]
    Folder,
    #[error("cannot read the file: {0}")]
    Unreadable(io::Error),
    #[error(transparent)]
    Image(#[from] shared_model::Error),
}

impl From<io::Error> for PictureError {
    fn from(err: io::Error) -> Self {
        match err.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing,
            ErrorKind::IsADirectory => Self::Folder,
            _ => Self::Unreadable(err),
        }
    }
}

/// The bytes of a picture's file. A file that is no picture is refused by its first bytes: it may be a video of gigabytes.
pub fn read(path: &Path) -> Result<Vec<u8>, PictureError> {
    if path.as_os_str().is_empty() {
        return Err(PictureError::NoImage);
    }
    read_from(File::open(path)?)
}

/// [`read`], from any source.
pub fn read_from(mut source: impl Read) -> Result<Vec<u8>, PictureError> {
    let mut bytes = head(&mut source)?;
    if let FileKind::Other(kind) = FileKind::of(&bytes) {
        return Err(shared_model::Error::ImageFormat(kind).into());
    }
    source.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Kind of a file, by its first bytes.
pub fn kind(path: &Path) -> Result<FileKind, PictureError> {
    Ok(FileKind::of(&head(&mut File::open(path)?)?))
}

/// Decodes the picture in a file.
pub fn open(path: &Path, reading: Reading) -> Result<DecodedImage, PictureError> {
    Ok(decode(&read(path)?, reading)?)
}

/// Decodes a picture.
pub fn decode(bytes: &[u8], reading: Reading) -> shared_model::Result<DecodedImage> {
    caught(|| preprocess::decode(bytes, reading))
}

/// [`pixel_values`] of the picture in a file.
pub fn open_pixel_values(
    path: &Path,
    config: &PreprocessConfig,
    reading: Reading,
) -> Result<Vec<f32>, PictureError> {
    Ok(pixel_values(&read(path)?, config, reading)?)
}

/// Decodes a picture and prepares it for the vision tower.
///
/// # Shapes
/// - returns f32 `[3, S, S]`, normalized, row-major
pub fn pixel_values(bytes: &[u8], config: &PreprocessConfig, reading: Reading) -> shared_model::Result<Vec<f32>> {
    caught(|| {
        let image = preprocess::decode(bytes, reading)?;
        Ok(preprocess::pixel_values(&preprocess::resize_and_crop(&image, config)?, config))
    })
}

/// [`pixel_values`] before normalization.
///
/// # Shapes
/// - returns u8 `[3, S, S]`, RGB, row-major
pub fn pixels(bytes: &[u8], config: &PreprocessConfig, reading: Reading) -> shared_model::Result<Vec<u8>> {
    pixels_within(bytes, config, reading, preprocess::MAX_MEGAPIXELS)
}

/// [`pixels`], of a picture of at most `max_megapixels`.
pub fn pixels_within(
    bytes: &[u8],
    config: &PreprocessConfig,
    reading: Reading,
    max_megapixels: u32,
) -> shared_model::Result<Vec<u8>> {
    caught(|| {
        let image = preprocess::decode_within(bytes, reading, max_megapixels)?;
        Ok(preprocess::resize_and_crop(&image, config)?.to_planes())
    })
}

/// Refuses, from its header alone, what is no picture or has more than `max_megapixels`.
pub fn check_size(bytes: &[u8], max_megapixels: u32) -> shared_model::Result<()> {
    caught(|| preprocess::check_size(bytes, max_megapixels))
}

/// Runs a decoder; a panic of it is an error.
fn caught<T>(decode: impl FnOnce() -> shared_model::Result<T>) -> shared_model::Result<T> {
    let failed = || Err(shared_model::Error::ImageDecode { detail: "its decoder failed".into() });
    panics::caught(decode).unwrap_or_else(failed)
}

fn head(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(FileKind::HEAD_BYTES);
    source.take(FileKind::HEAD_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::preprocess::{OtherFile, PictureFormat};

    #[test]
    fn files_are_known_by_content_and_never_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (_, sample) = shared_model::demo::SAMPLES[0];
        let path = folder.path().join("photo.heic");
        std::fs::write(&path, sample).unwrap();
        assert_eq!(kind(&path).unwrap(), FileKind::Picture(PictureFormat::Jpeg));
        assert_eq!(read(&path).unwrap(), sample);
        assert!(open(&path, Reading::Photo).is_ok());
        let path = folder.path().join("photo.jpg");
        std::fs::write(&path, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
        assert_eq!(kind(&path).unwrap(), FileKind::Other(OtherFile::Heic));
        assert!(read(&path).unwrap_err().to_string().contains("Most Compatible"));
    }

    #[test]
    fn what_is_no_file_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(open(folder.path(), Reading::Photo), Err(PictureError::Folder)));
        let missing = folder.path().join("none.jpg");
        assert!(matches!(open(&missing, Reading::Photo), Err(PictureError::Missing)));
        assert!(matches!(open(&missing.join("below"), Reading::Photo), Err(PictureError::Missing)));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_end_is_refused_by_its_head() {
        let zeros = open(Path::new("/dev/zero"), Reading::Photo).unwrap_err();
        assert!(
            matches!(zeros, PictureError::Image(shared_model::Error::ImageFormat(OtherFile::Zeros))),
            "{zeros}"
        );
        let empty = open(Path::new("/dev/null"), Reading::Photo).unwrap_err();
        assert_eq!(empty.to_string(), "the file is empty");
    }
}
