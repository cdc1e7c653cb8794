//! Turns images upright: cameras store the orientation and do not turn the pixels.

use super::DecodedImage;
use crate::Result;
use image::metadata::Orientation as Transform;

/// Returns the transform of an EXIF block; no transform if it is absent, damaged or without an orientation.
pub(super) fn exif_transform(exif: Option<&[u8]>) -> Transform {
    // Some WebP writers keep the prefix of JPEG's segment.
    let block = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    block.and_then(Transform::from_exif_chunk).unwrap_or(Transform::NoTransforms)
}

/// Turns an image upright.
pub(super) fn apply(image: DecodedImage, transform: Transform) -> Result<DecodedImage> {
    let (width, height) = (image.width(), image.height());
    let (right, bottom) = (width - 1, height - 1);
    match transform {
        Transform::NoTransforms => Ok(image),
        Transform::FlipHorizontal => image.gather(width, height, |x, y| (right - x, y)),
        Transform::Rotate180 => image.gather(width, height, |x, y| (right - x, bottom - y)),
        Transform::FlipVertical => image.gather(width, height, |x, y| (x, bottom - y)),
        Transform::Rotate90FlipH => image.gather(height, width, |x, y| (y, x)),
        Transform::Rotate90 => image.gather(height, width, |x, y| (y, bottom - x)),
        Transform::Rotate270FlipH => image.gather(height, width, |x, y| (right - y, bottom - x)),
        Transform::Rotate270 => image.gather(height, width, |x, y| (right - y, x)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pixels::PixelMode;
    use super::*;

    #[test]
    fn all_eight_transforms() {
        // ImageOps.exif_transpose of [[0, 1, 2], [3, 4, 5]]
        let expected: [(u8, u32, [u8; 6]); 8] = [
            (1, 3, [0, 1, 2, 3, 4, 5]),
            (2, 3, [2, 1, 0, 5, 4, 3]),
            (3, 3, [5, 4, 3, 2, 1, 0]),
            (4, 3, [3, 4, 5, 0, 1, 2]),
            (5, 2, [0, 3, 1, 4, 2, 5]),
            (6, 2, [3, 0, 4, 1, 5, 2]),
            (7, 2, [5, 2, 4, 1, 3, 0]),
            (8, 2, [2, 5, 1, 4, 0, 3]),
        ];
        let stored = DecodedImage::from_samples(3, 2, PixelMode::Gray, vec![0, 1, 2, 3, 4, 5]).unwrap();
        for (exif, width, samples) in expected {
            let turned = apply(stored.clone(), Transform::from_exif(exif).unwrap()).unwrap();
            let expected = DecodedImage::from_samples(width, 6 / width, PixelMode::Gray, samples.to_vec()).unwrap();
            assert_eq!(turned, expected, "orientation {exif}");
        }
    }

    #[test]
    fn exif_that_says_nothing_turns_nothing() {
        for exif in
            [None, Some(&b""[..]), Some(&b"Exif\0\0"[..]), Some(&b"II*\0\x08\0\0\0"[..]), Some(&[0xff; 40][..])]
        {
            assert_eq!(exif_transform(exif), Transform::NoTransforms);
        }
    }
}
