//! Progress of a run: a bar in a terminal, occasional lines in a log.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// Time between two lines where there is no terminal for a bar.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// The bar of a run. Of several ranks only the first shows one.
pub struct RunProgress {
    is_shown: bool,
    bar: ProgressBar,
    is_seen: bool,
    last_line: Option<Instant>,
    total_steps: u64,
}

/// Figures of the newest step, for the bar.
#[derive(Clone, Copy, Debug)]
pub struct StepFigures {
    pub mkcl: f64,
    pub slra: f64,
    pub learning_rate: f64,
    pub logit_scale: f64,
    pub samples_per_sec: f64,
    /// Share of the time in which the model waited for a batch.
    pub waiting_share: f64,
}

impl StepFigures {
    /// By the names of `metrics.jsonl`.
    pub fn scalars(&self, loss: f64, gradient_norm: f64, n_texts: usize) -> Vec<(String, f64)> {
        let named = [
            ("loss", loss),
            ("mkcl", self.mkcl),
            ("slra", self.slra),
            ("learning_rate", self.learning_rate),
            ("logit_scale", self.logit_scale),
            ("gradient_norm", gradient_norm),
            ("distinct_captions", n_texts as f64),
            ("samples_per_sec", self.samples_per_sec),
            ("waiting_share", self.waiting_share),
        ];
        named.map(|(name, value)| (name.to_string(), value)).to_vec()
    }
}

impl RunProgress {
    pub fn start(step: u64, total_steps: u64, is_shown: bool) -> Self {
        if !is_shown {
            return Self { is_shown, bar: ProgressBar::hidden(), is_seen: false, last_line: None, total_steps };
        }
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} steps, {eta} left  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total_steps).with_style(style).with_position(step);
        bar.reset_eta();
        Self { is_shown, bar, is_seen: std::io::stderr().is_terminal(), last_line: None, total_steps }
    }

    pub fn step(&mut self, steps_done: u64, figures: &StepFigures) {
        if !self.is_shown {
            return;
        }
        let StepFigures { mkcl, slra, learning_rate, logit_scale, samples_per_sec, waiting_share } = figures;
        let message = format!(
            "mkcl {mkcl:.3} slra {slra:.3} lr {learning_rate:.2e} scale {logit_scale:.1}  \
             {samples_per_sec:.1} samples/s, {:.0} % waiting",
            100.0 * waiting_share
        );
        self.bar.set_position(steps_done);
        if !self.is_seen && self.last_line.is_none_or(|last| last.elapsed() >= BETWEEN_LINES) {
            info!("step {steps_done}/{}: {message}", self.total_steps);
            self.last_line = Some(Instant::now());
        }
        self.bar.set_message(message);
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        if self.is_shown {
            self.bar.suspend(|| info!("{line}"));
        }
    }

    /// A warning that stays.
    pub fn warn(&self, line: &str) {
        if self.is_shown {
            self.bar.suspend(|| warn!("{line}"));
        }
    }
}

impl Drop for RunProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
