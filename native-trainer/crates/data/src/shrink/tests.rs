//! Copies of image folders: which images become smaller, and what is refused.

use super::*;
use image::RgbImage;
use shared_model::preprocess::Reading;
use std::path::PathBuf;

const SETTINGS: ShrinkSettings = ShrinkSettings { short_side: 32, quality: 95 };

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 2) as u8, (y * 2) as u8, 90]))
}

fn table(folder: &Path, names: &[&str]) -> PathBuf {
    let rows = names.iter().map(|name| format!("{name},a caption,,,\"[1, 0, 0]\"\n"));
    let header = "filename,truncated_caption,ontology_caption,visual_concept_caption,knowledge_masks";
    let path = folder.join("train.csv");
    fs::write(&path, format!("{header}\n{}", rows.collect::<String>())).unwrap();
    path
}

fn options() -> TableOptions {
    TableOptions { n_subcaptions: 0, ..TableOptions::default() }
}

#[test]
fn large_images_become_smaller_and_all_others_are_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir_all(from.join("a b")).unwrap();
    picture(90, 60).save(from.join("a b/large.png")).unwrap();
    picture(40, 32).save(from.join("small.png")).unwrap();
    fs::write(from.join("broken.jpg"), b"no image").unwrap();
    let path = table(&from, &["a b/large.png", "small.png", "broken.jpg", "missing.jpg", "small.png"]);
    let run = || super::run(&path, None, &options(), SETTINGS, &out).unwrap();
    assert!(!run(), "two images are missing or broken");

    let image = dermake_pictures::open(&out.join("a b/large.png"), Reading::Reference).unwrap();
    assert_eq!((image.width(), image.height()), (48, 32));
    let (rgb, middle) = (image.to_rgb(), 3 * (16 * 48 + 24));
    let pixel = &rgb.as_bytes()[middle..middle + 3];
    for (found, expected) in pixel.iter().zip([91u8, 61, 90]) {
        assert!(found.abs_diff(expected) < 6, "{pixel:?}");
    }
    assert_eq!(fs::read(out.join("small.png")).unwrap(), fs::read(from.join("small.png")).unwrap());
    assert!(!out.join("broken.jpg").exists(), "a copy would hide it from the next call");
    assert_eq!(fs::read(out.join("train.csv")).unwrap(), fs::read(&path).unwrap());
    assert_eq!(read_marker(&out).unwrap(), Some(SETTINGS));

    // What is there stays, unless its source has changed.
    let size = || {
        let copy = dermake_pictures::open(&out.join("a b/large.png"), Reading::Reference).unwrap();
        (copy.width(), copy.height())
    };
    let small = out.join("small.png");
    fs::write(&small, "kept").unwrap();
    assert!(!run(), "what is missing or broken is said again");
    assert_eq!((fs::read(&small).unwrap(), size()), (b"kept".to_vec(), (48, 32)));
    picture(99, 70).save(from.join("a b/large.png")).unwrap();
    assert!(!run());
    assert_eq!((fs::read(&small).unwrap(), size()), (b"kept".to_vec(), (45, 32)));
    // A source of the same length is another one by its time.
    let changed = fs::File::options().append(true).open(from.join("small.png")).unwrap();
    changed.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(9)).unwrap();
    assert!(!run());
    assert_eq!(fs::read(&small).unwrap(), fs::read(from.join("small.png")).unwrap());
    // What a kill left of the last line is no record.
    let record = out.join("dermake-shrunk.sources");
    let whole = fs::read(&record).unwrap();
    fs::write(&record, &whole[..whole.len() - 9]).unwrap();
    fs::write(&small, "not known").unwrap();
    assert!(!run());
    assert_eq!(fs::read(&small).unwrap(), fs::read(from.join("small.png")).unwrap());
}

#[test]
fn a_copy_has_the_images_of_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let of = |name: &str, side: u32| {
        let from = folder.path().join(name);
        fs::create_dir(&from).unwrap();
        picture(side, side).save(from.join("1.png")).unwrap();
        table(&from, &["1.png"])
    };
    let (a, b) = (of("a", 40), of("b", 50));
    let run = |table: &Path, root: Option<&Path>| {
        super::run(table, root, &options(), SETTINGS, &out).map_err(|err| err.to_string())
    };
    assert_eq!((run(&a, None), run(&a, None)), (Ok(true), Ok(true)));
    let kept = fs::read(out.join("1.png")).unwrap();
    for error in [run(&b, None), run(&a, Some(&folder.path().join("b")))] {
        let error = error.unwrap_err();
        assert!(error.starts_with("the folder is a copy of ") && error.contains("a/train.csv"), "{error}");
    }
    assert_eq!(fs::read(out.join("1.png")).unwrap(), kept);
    let missing = run(&a, Some(&folder.path().join("gone"))).unwrap_err();
    assert!(missing.starts_with("--root is no folder") && missing.ends_with("gone"), "{missing}");
}

#[test]
fn what_cannot_be_copied_is_refused_before_images_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir(&from).unwrap();
    picture(90, 60).save(from.join("x.png")).unwrap();
    let path = table(&from, &["x.png"]);
    fs::copy(&path, from.join("more.csv")).unwrap();
    let refusal = |path: &Path| super::run(path, None, &options(), SETTINGS, &out).unwrap_err().to_string();
    assert!(refusal(&from).starts_with("expected a table that names images, found a folder"), "{}", refusal(&from));
    let pattern = from.join("*.csv");
    assert!(refusal(&pattern).contains("found several files"), "{}", refusal(&pattern));
    assert!(!out.exists());
}

#[test]
fn names_that_lead_out_of_the_folder_are_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir(&from).unwrap();
    picture(90, 60).save(folder.path().join("x.png")).unwrap();
    picture(90, 60).save(from.join("y.png")).unwrap();
    let absolute = from.join("y.png");
    let path = table(&from, &["../x.png", absolute.to_str().unwrap()]);
    assert!(!super::run(&path, Some(&from), &options(), SETTINGS, &out).unwrap());
    assert!(!folder.path().join("out/y.png").exists(), "the table of the copy names the original");
    let files = FileFinder::new(&from);
    let (sources, counts) = (Sources::open(&out).unwrap(), Counts::default());
    let copies = Copies { out: &out, settings: SETTINGS, sources: &sources, counts: &counts };
    let problem = shrink_one(&files, "../x.png", &copies).unwrap().unwrap();
    assert!(problem.to_string().contains("name the folder above all images with --root"), "{problem}");
}

#[test]
fn a_folder_has_images_of_one_kind_and_never_the_originals() {
    let folder = tempfile::tempdir().unwrap();
    picture(40, 40).save(folder.path().join("x.png")).unwrap();
    let path = table(folder.path(), &["x.png"]);
    let out = folder.path().join("out");
    let run =
        |settings, out: &Path| super::run(&path, None, &options(), settings, out).map_err(|err| err.to_string());
    assert_eq!(run(SETTINGS, &out), Ok(true));
    let other = run(ShrinkSettings { short_side: 20, ..SETTINGS }, &out).unwrap_err();
    assert!(other.contains("short side of 32 pixels"), "{other}");
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("mine.txt"), "mine").unwrap();
    let occupied = run(SETTINGS, elsewhere.path()).unwrap_err();
    assert!(occupied.contains("has other files"), "{occupied}");
    let originals = run(SETTINGS, folder.path()).unwrap_err();
    assert!(originals.contains("would be overwritten"), "{originals}");
    fs::write(out.join(MARKER_FILE), "{}").unwrap();
    assert!(run(SETTINGS, &out).unwrap_err().contains("data shrink"));
}
