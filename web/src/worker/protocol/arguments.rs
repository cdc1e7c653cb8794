//! Checks of what a caller of the JavaScript package gave. The page needs none: it joins spellings of one label, and its
//! square never leaves the photo.

use super::Request;
use crate::crop::{Crop, PhotoSize};
use crate::error::{Error, Result};
use shared_model::labels::LabelSet;
use shared_model::preprocess::CropBox;

/// Checks that labels and concepts are different names, as in the Python package: two spellings of one name would share
/// its probability.
///
/// # Errors
/// [`Error::InvalidArgument`]; also for a name that is too long, and for too many.
pub fn check_names(request: &Request) -> Result<()> {
    let (argument, names) = match request {
        Request::Classify { labels, .. } if labels.key == LabelSet::CUSTOM => ("labels", &labels.class_names),
        Request::Annotate { concepts, .. } if !concepts.is_empty() => ("concepts", concepts),
        _ => return Ok(()),
    };
    match LabelSet::from_class_names(names.clone()) {
        Ok(_) => Ok(()),
        Err(shared_model::Error::Labels { expected, found, .. }) => {
            Err(expected_found(argument, &expected, &found))
        }
        Err(err) => Err(err.into()),
    }
}

/// Returns the box of a square in a photo of this size.
///
/// # Errors
/// [`Error::InvalidArgument`] if it is not within the photo.
pub fn box_within(crop: Crop, size: PhotoSize) -> Result<CropBox> {
    if crop.fits(size) {
        return Ok(crop.to_box());
    }
    let PhotoSize { width, height } = size;
    let Crop { left, top, side } = crop;
    let expected = format!("a square within the photo's {width} x {height} pixels");
    Err(expected_found("crop", &expected, &format!("one of {side} x {side} at left {left}, top {top}")))
}

fn expected_found(argument: &str, expected: &str, found: &str) -> Error {
    Error::InvalidArgument { detail: format!("{argument}: expected {expected}, found {found}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(key: &str, class_names: &[&str]) -> Request {
        let class_names = class_names.iter().map(ToString::to_string).collect();
        let labels = LabelSet { key: key.into(), title: String::new(), class_names };
        Request::Classify { photo_id: 1, crop: None, labels, top_k: 5, is_shown: false, wants_feature: false }
    }

    fn annotate(names: &[&str]) -> Request {
        let concepts = names.iter().map(ToString::to_string).collect();
        Request::Annotate { photo_id: 1, crop: None, concepts }
    }

    #[test]
    fn two_spellings_of_one_name_are_refused() {
        let custom = |class_names: &[&str]| classify(LabelSet::CUSTOM, class_names);
        for (request, expected) in [
            (custom(&["a", "b", "a"]), "labels: expected different names, found \"a\" twice."),
            (custom(&["a", "A"]), "labels: expected different names, found \"a\" and \"A\"."),
            (
                annotate(&["Scale", "ulcer", "scale "]),
                "concepts: expected different names, found \"Scale\" and \"scale \".",
            ),
            (custom(&["x".repeat(2_000).as_str()]), "labels: expected at most 1000 bytes, found 2000 bytes."),
        ] {
            assert_eq!(check_names(&request).unwrap_err().to_string(), expected);
        }
        for request in [custom(&["a", "b"]), annotate(&[]), annotate(&["scale"]), classify("pad", &["a", "a"])] {
            assert_eq!(check_names(&request), Ok(()));
        }
    }

    #[test]
    fn a_square_beside_the_photo_is_refused_with_the_size_of_the_photo() {
        let size = PhotoSize { width: 300, height: 200 };
        let inside = Crop { left: 250, top: 150, side: 50 };
        assert_eq!(box_within(inside, size), Ok(inside.to_box()));
        assert_eq!(
            box_within(Crop { left: 290, ..inside }, size).unwrap_err().to_string(),
            "crop: expected a square within the photo's 300 x 200 pixels, found one of 50 x 50 at left 290, top 150."
        );
    }
}
