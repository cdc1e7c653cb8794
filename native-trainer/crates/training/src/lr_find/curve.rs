//! The curve of a search as a table and a picture, and the learning rates that it shows.

use anyhow::{Result, ensure};
use dermake_drawing::axes::Frame;
use dermake_drawing::lines::Line;
use dermake_drawing::marks::{Domain, Spacing};
use dermake_drawing::{path, px, standalone, write_figure};
use dermake_process::print;
use dermake_sheets::Sheet;
use maud::html;
use std::fs;
use std::path::Path;

/// What a search writes.
pub(super) const RESULT_FILES: [&str; 3] = [TABLE_FILE, PICTURE_FILE, "lr-find.png"];
const TABLE_FILE: &str = "lr-find.csv";
const PICTURE_FILE: &str = "lr-find.svg";
const COLUMNS: [&str; 3] = ["learning_rate", "loss", "smoothed_loss"];
const TITLE: &str = "The loss while the learning rate grows";

/// Share of the earlier mean in a smoothed loss.
const SMOOTHING: f64 = 0.9;
/// The search ends when the smoothed loss is so many times the lowest.
const DIVERGED: f64 = 3.0;

/// A step of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tried {
    pub learning_rate: f64,
    pub loss: f64,
    /// The mean of the losses so far, newer ones counting more.
    pub smooth: f64,
}

/// The exponential mean of the losses so far, without the bias of a mean that begins at 0.
#[derive(Default)]
pub(super) struct SmoothedLoss {
    sum: f64,
    weight: f64,
}

impl SmoothedLoss {
    /// Adds a loss; returns the mean.
    pub(super) fn with(&mut self, loss: f64) -> f64 {
        self.sum = SMOOTHING * self.sum + (1.0 - SMOOTHING) * loss;
        self.weight = SMOOTHING * self.weight + (1.0 - SMOOTHING);
        self.sum / self.weight
    }
}

/// Returns whether the search ends here: the loss is far above the lowest, or no number.
pub(super) fn is_diverged(before: &[Tried], next: &Tried) -> bool {
    let lowest = before.iter().map(|tried| tried.smooth).fold(f64::INFINITY, f64::min);
    !next.smooth.is_finite() || (before.len() > 5 && next.smooth > DIVERGED * lowest)
}

/// Checks that a search replaces no files in the folder `out` but those of an earlier search there. A PNG is one of a search
/// if the SVG beside it is.
///
/// # Errors
/// Names the first file that is no search's.
pub(super) fn refuse_foreign(out: &Path) -> Result<()> {
    let has = |file: &str, text: &str| {
        String::from_utf8_lossy(&fs::read(out.join(file)).unwrap_or_default()).contains(text)
    };
    let (is_table, is_picture) = (has(TABLE_FILE, &COLUMNS.join(",")), has(PICTURE_FILE, TITLE));
    for (file, is_result) in RESULT_FILES.into_iter().zip([is_table, is_picture, is_picture]) {
        let path = out.join(file);
        ensure!(
            is_result || path.is_dir() || path.symlink_metadata().is_err(),
            "a search would overwrite this file, which no search has written; give --out a new folder: {}",
            path.display()
        );
    }
    Ok(())
}

/// Writes the files into the folder `out`, and prints the learning rates.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(tried: &[Tried], out: &Path) -> Result<()> {
    let mut sheet = Sheet::default();
    let column = |of: fn(&Tried) -> f64| tried.iter().map(|tried| Some(of(tried))).collect();
    let values: [fn(&Tried) -> f64; 3] = [|tried| tried.learning_rate, |tried| tried.loss, |tried| tried.smooth];
    for (name, of) in COLUMNS.into_iter().zip(values) {
        sheet.numbers(name, column(of));
    }
    sheet.write(&out.join(TABLE_FILE))?;
    let (steepest, lowest) = steepest_and_lowest(tried);
    write_figure(&picture(tried, &steepest), &out.join(PICTURE_FILE))?;
    print::summary(&format!(
        "steepest fall   {:.1e}\nlowest loss     {:.1e}; a tenth of it is {:.1e}\npicture         {}\n",
        steepest.learning_rate,
        lowest.learning_rate,
        lowest.learning_rate / 10.0,
        out.join(PICTURE_FILE).display()
    ))
}

/// The learning rate where the smoothed loss falls fastest by the logarithm of the rate, and that of the lowest loss.
fn steepest_and_lowest(tried: &[Tried]) -> (Tried, Tried) {
    let lowest = tried.iter().copied().reduce(|a, b| if b.smooth < a.smooth { b } else { a });
    let lowest = lowest.unwrap_or(tried[0]);
    let slope =
        |pair: &[Tried]| (pair[1].smooth - pair[0].smooth) / (pair[1].learning_rate / pair[0].learning_rate).ln();
    let falling = tried.windows(2).filter(|pair| pair[1].learning_rate <= lowest.learning_rate);
    let steepest = falling.min_by(|a, b| slope(a).total_cmp(&slope(b))).map_or(lowest, |pair| pair[0]);
    (steepest, lowest)
}

/// Size of the picture, and where its plot is.
const SIZE: [u32; 2] = [640, 380];
const ACROSS: [f64; 2] = [70.0, 620.0];
const UP: [f64; 2] = [320.0, 40.0];

fn picture(tried: &[Tried], steepest: &Tried) -> String {
    let range = |of: fn(&Tried) -> f64| {
        let values = || tried.iter().map(of);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let frame = Frame {
        x: Domain::over(range(|tried| tried.learning_rate), Spacing::Log).axis("learning rate", ACROSS),
        y: Domain::over(range(|tried| tried.smooth), Spacing::Linear).axis("loss", UP),
    };
    let points =
        |of: fn(&Tried) -> f64| path(tried.iter().map(|tried| frame.point([tried.learning_rate, of(tried)])));
    let [x, y] = frame.point([steepest.learning_rate, steepest.smooth]);
    let label = format!("steepest fall: {:.1e}", steepest.learning_rate);
    let content = html! {
        text.title x=(px(345.0)) y="22" text-anchor="middle" { "Loss by learning rate; " (label) }
        (frame.axes())
        path class={ (Line::nth(0).class()) " faint" } d=(points(|tried| tried.loss)) {}
        path class=(Line::nth(0).class()) d=(points(|tried| tried.smooth)) {}
        g class=(Line::nth(1).color_class()) { circle.point cx=(px(x)) cy=(px(y)) r="4" { title { (label) } } }
    };
    standalone(SIZE[0], SIZE[1], TITLE, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loss that falls from 2 to 1 around 1e-3 and grows beyond 1e-1.
    fn search() -> Vec<Tried> {
        let (mut tried, mut mean) = (Vec::new(), SmoothedLoss::default());
        for step in 0..141 {
            let rate = 1e-6 * 10f64.powf(f64::from(step) / 20.0);
            let loss = 2.0 - 1.0 / (1.0 + (1e-3 / rate).powi(2)) + 10.0 * (rate / 1e-1).powi(3);
            let next = Tried { learning_rate: rate, loss, smooth: mean.with(loss) };
            if is_diverged(&tried, &next) {
                break;
            }
            tried.push(next);
        }
        tried
    }

    #[test]
    fn the_steepest_fall_and_the_lowest_loss_are_found() {
        let tried = search();
        assert!(tried.len() < 141, "it diverges");
        let (steepest, lowest) = steepest_and_lowest(&tried);
        // Smoothing delays both by some steps of a twentieth of a decade.
        assert!((1e-3..4e-3).contains(&steepest.learning_rate), "{steepest:?}");
        assert!((1e-2..1e-1).contains(&lowest.learning_rate), "{lowest:?}");
        let picture = picture(&tried, &steepest);
        assert!(picture.contains("Loss by learning rate") && picture.contains("circle"), "{picture}");
    }

    #[test]
    fn the_first_mean_is_the_first_loss_and_newer_losses_count_more() {
        let mut mean = SmoothedLoss::default();
        assert!((mean.with(3.0) - 3.0).abs() < 1e-12);
        // 0.9 times the older loss and once the newer one, of 1.9.
        assert!((mean.with(1.0) - (0.9 * 3.0 + 1.0) / 1.9).abs() < 1e-12);
    }

    #[test]
    fn only_files_of_an_earlier_search_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        refuse_foreign(&out.join("new")).unwrap();
        for name in RESULT_FILES {
            fs::write(out.join(name), "mine").unwrap();
            let error = refuse_foreign(out).unwrap_err().to_string();
            assert!(error.contains("which no search has written") && error.ends_with(name), "{error}");
            fs::remove_file(out.join(name)).unwrap();
        }
        write(&search(), out).unwrap();
        refuse_foreign(out).unwrap();
        // What is left where the disk was full.
        fs::remove_file(out.join("lr-find.png")).unwrap();
        refuse_foreign(out).unwrap();
        fs::write(out.join(TABLE_FILE), "learning_rate,accuracy\n1e-3,0.5\n").unwrap();
        assert!(refuse_foreign(out).unwrap_err().to_string().ends_with(TABLE_FILE));
    }
}
