//! What a run writes of its figures: `metrics.jsonl`, TensorBoard's events, and the curves.

use super::loop_state::LoopState;
use super::sinks::{EventWriter, MetricsLog, Panel, Record, curves, metrics};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Outputs of a run's figures.
pub struct RunSinks {
    metrics: MetricsLog,
    events: EventWriter,
}

pub const METRICS_FILE: &str = "metrics.jsonl";
/// The picture of the curves; `curves.png` is beside it.
pub const CURVES_FILE: &str = "curves.svg";

impl RunSinks {
    /// Opens the files of a run that continues after `step` steps.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(out: &Path, step: u64) -> Result<Self> {
        let (metrics, folder) = (out.join(METRICS_FILE), out.join("tensorboard"));
        // Figures after the checkpoint that the run continues from are logged again.
        Ok(Self { metrics: MetricsLog::resume_at(&metrics, step)?, events: EventWriter::resume_at(&folder, step)? })
    }

    /// Logs under the step that was finished last.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn log(&mut self, state: &LoopState, scalars: Vec<(String, f64)>) -> Result<()> {
        let epoch = state.position.epoch as u64 - u64::from(state.position.batch == 0);
        let record = Record::now(state.step - 1, epoch, scalars);
        self.metrics.append(&record)?;
        self.events.append(&record)
    }
}

/// Draws the run's curves from its metrics. Returns the PNG, if there is anything to draw.
///
/// # Errors
/// When the metrics cannot be read or the curves not be written.
pub fn draw_curves(out: &Path) -> Result<Option<PathBuf>> {
    let records = metrics::read(&out.join(METRICS_FILE))?;
    let panel = |title: &str, scalars: &[String], is_log: bool| Panel {
        title: title.into(),
        scalars: scalars.to_vec(),
        is_log,
    };
    let has = |name: &str| records.iter().any(|record| record.scalar(name).is_some_and(f64::is_finite));
    let named = |names: &[&str]| names.iter().filter(|name| has(name)).map(|name| name.to_string()).collect();
    let names = records.iter().flat_map(|record| record.scalars.iter().map(|(name, _)| name.clone()));
    let mut accuracies: Vec<String> = names.filter(|name| name.starts_with("zero_shot")).collect();
    accuracies.sort_unstable();
    accuracies.dedup();
    let losses: Vec<String> = named(&["mkcl", "slra", "validation_mkcl", "validation_slra"]);
    let panels = [
        panel("loss", &losses, false),
        panel("zero-shot top-1", &accuracies, false),
        panel("learning rate", &named(&["learning_rate"]), false),
        panel("logit scale", &named(&["logit_scale"]), false),
    ];
    let drawn: Vec<Panel> = panels.into_iter().filter(|panel| !panel.scalars.is_empty()).collect();
    if drawn.is_empty() {
        return Ok(None);
    }
    curves::draw(&records, &drawn, &out.join(CURVES_FILE)).map(Some)
}
