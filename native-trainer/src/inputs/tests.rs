//! Files, folders, lists and patterns as arguments.

use super::photo::Source;
use super::*;
use std::path::{Path, PathBuf};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";

/// Makes files in a new folder.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn names(photos: &[Photo], below: &Path) -> Vec<String> {
    let name = |photo: &Photo| match &photo.source {
        Source::Nothing(problem) => format!("error: {problem}"),
        _ => Path::new(&photo.name).strip_prefix(below).map_or(photo.name.clone(), name_of),
    };
    photos.iter().map(name).collect()
}

#[test]
fn photos_are_known_by_content_in_folders_below_but_not_in_hidden_ones() {
    let folder = folder(&[
        ("b.JPG", b""),
        ("a/c.jfif", b"\xff\xd8\xff"),
        ("a/no ending", PNG),
        ("a/photo.dat", PNG),
        ("z.heic", HEIC),
        ("notes.txt", b"text"),
        ("drawing.svg", b"<svg/>"),
        (".dermake/x.png", PNG),
        ("a/.hidden.png", PNG),
        ("index/features.png", PNG),
        ("report/results.json", br#"{"format": "dermake-comparison/1"}"#),
        ("report/figures/a.png", PNG),
    ]);
    #[cfg(unix)]
    for link in ["gone.png", ".#notes.txt"] {
        std::os::unix::fs::symlink("/nonexistent", folder.path().join(link)).unwrap();
    }
    let (found, closed) = photos_below(folder.path(), Some(&folder.path().join("index")));
    #[cfg(unix)]
    assert!(
        closed.len() == 1 && closed[0].path.ends_with("gone.png") && closed[0].reason.contains("link"),
        "{closed:?}"
    );
    let names: Vec<String> = found.iter().map(|path| name_of(path.strip_prefix(folder.path()).unwrap())).collect();
    assert_eq!(names, ["a/c.jfif", "a/no ending", "a/photo.dat", "b.JPG", "z.heic"]);
}

#[test]
fn arguments_are_files_folders_lists_and_patterns() {
    let root = folder(&[("a/1.png", PNG), ("a/2.png", PNG), ("b.png", PNG), ("empty/x.txt", b""), ("@b.png", PNG)]);
    let at = |name: &str| root.path().join(name);
    let list = format!("\u{feff}{}\r\n\r\nb.png\r\"b.png\" \n{}", at("a").display(), "no such.png");
    std::fs::write(at("list.txt"), list).unwrap();
    let gathered = |arguments: &[PathBuf]| names(&gather(arguments), root.path());
    assert_eq!(gathered(&[at("b.png"), at("b.png"), at("a")]), ["b.png", "b.png", "a/1.png", "a/2.png"]);
    assert_eq!(gathered(&[at("a/2.png"), at("a")]), ["a/2.png", "a/1.png"], "found files once");
    let from_list = gathered(&[format!("@{}", at("list.txt").display()).into()]);
    assert_eq!(from_list, ["a/1.png", "a/2.png", "b.png", "b.png", "no such.png"]);
    assert_eq!(gathered(&[at("@b.png")]), ["@b.png"]);
    assert_eq!(gathered(&[at("a/*.png")]), ["a/1.png", "a/2.png"]);
    assert_eq!(gathered(&["-".into(), at("missing.png")]), ["-", "missing.png"]);
    assert_eq!(gathered(&["-".into(), "-".into()])[1], "error: standard input is read once, and was named before");
    std::fs::write(at("headed.txt"), "filename\n# mine\nb.png\nfilename\n").unwrap();
    assert_eq!(gathered(&[format!("@{}", at("headed.txt").display()).into()]), ["b.png", "filename"]);
    for (argument, expected) in [
        (at("empty"), "no photo in this folder"),
        (at("*.gif"), "fits this pattern"),
        (format!("@{}", at("no.txt").display()).into(), "no such file"),
        (format!("@{}", at("empty/x.txt").display()).into(), "the list of photos is empty"),
    ] {
        let err = gathered(std::slice::from_ref(&argument)).pop().unwrap();
        assert!(err.starts_with("error: ") && err.contains(expected), "{argument:?}: {err}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let root = folder(&[("a.png", PNG)]);
    let problem = |path: &Path| Photo::of_file(path.into()).read().unwrap_err().to_string();
    assert_eq!(problem(&root.path().join("b.png")), "there is no such file");
    assert_eq!(problem(&root.path().join("a.png/b")), "there is no such file");
    assert!(problem(root.path()).contains("folder"));
    for (name, expected) in [
        ("https://example.org/a.jpg", "nothing is fetched"),
        ("file:///home/a.jpg", "leave out \"file://\""),
        ("~/no such photo.jpg", "\"~\" stands for a folder only where the shell sees it"),
    ] {
        let problem = problem(Path::new(name));
        assert!(problem.contains(expected), "{problem}");
    }
    assert!(Photo::single(root.path()).unwrap_err().to_string().contains("folder"));
    assert_eq!(Photo::single(&root.path().join("a.png")).unwrap().read().unwrap(), PNG);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_stay_apart() {
    use std::os::unix::ffi::OsStrExt;
    let name = |bytes: &[u8]| name_of(Path::new(std::ffi::OsStr::from_bytes(bytes)));
    assert_eq!(name(b"a\xff.png"), "a\\xff.png");
    assert_eq!(name(b"a\xfe.png"), "a\\xfe.png");
    assert_eq!(name("ä\n.png".as_bytes()), "ä\n.png");
}

#[test]
fn the_exit_code_says_whether_all_some_or_none_were_answered() {
    let code = |n_answered, n_failed| format!("{:?}", Tally { n_answered, n_failed }.exit_code());
    let expected = |code: u8| format!("{:?}", ExitCode::from(code));
    assert_eq!([code(2, 0), code(1, 1), code(0, 1)], [expected(0), expected(1), expected(2)]);
}
