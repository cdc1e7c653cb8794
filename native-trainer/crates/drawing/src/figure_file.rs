//! A drawing as files, for papers and slides: an SVG, and a PNG beside it.

use crate::png;
use anyhow::{Context, Result};
use dermake_files::output::replace_file;
use std::path::{Path, PathBuf};

/// Writes a drawing to `path`, whose name ends in `.svg`, and as a PNG of the same name beside it. Returns the PNG's path.
///
/// # Errors
/// When `svg` is no drawing, and nothing is written then; or when a file cannot be written.
pub fn write_figure(svg: &str, path: &Path) -> Result<PathBuf> {
    let beside = path.with_extension("png");
    let picture = png(svg).with_context(|| format!("cannot make {}", beside.display()))?;
    replace_file(path, svg.as_bytes())?;
    replace_file(&beside, &picture)?;
    Ok(beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standalone;
    use maud::html;

    #[test]
    fn the_png_is_beside_the_svg_and_shows_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vit-b.16-curves.svg");
        let svg = standalone(40, 30, "a line", &html! { path class="line c0" d="M0 10L40 10" {} });
        let beside = write_figure(&svg, &path).unwrap();
        assert_eq!(beside, folder.path().join("vit-b.16-curves.png"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), svg);
        assert_eq!(std::fs::read(&beside).unwrap(), png(&svg).unwrap());
    }

    #[test]
    fn of_what_is_no_drawing_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_figure("no drawing", &folder.path().join("a.svg")).unwrap_err();
        assert!(error.to_string().contains("cannot make ") && error.to_string().contains("a.png"), "{error:#}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(write_figure(&standalone(9, 9, "", &html! {}), &folder.path().join("none/a.svg")).is_err());
    }
}
