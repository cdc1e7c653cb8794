//! Outputs of a run's figures: a line per step in `metrics.jsonl`, TensorBoard's event files, and curves.
//!
//! Every sink is append-only and outlives a kill at any moment: opened again with `resume_at(step)`, it forgets what
//! came at or after that step, so that a run that was killed and resumed reads like one that never stopped.

mod event;
mod record;
mod series;

pub mod curves;
pub mod metrics;
pub mod tensorboard;

pub use curves::Panel;
pub use metrics::MetricsLog;
pub use record::Record;
pub use tensorboard::EventWriter;
