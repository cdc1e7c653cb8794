//! Early stopping: a run ends when a figure of its evaluations has stopped improving.

use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ends a run whose figure has stopped improving; `best` is then the last checkpoint that counted as an
/// improvement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// The figure: `validation_loss`, or `zero_shot_top1_NAME` of one of `data.zero_shot`.
    #[serde(default = "default_metric")]
    pub metric: String,
    /// Evaluations in a row without an improvement after which the run ends.
    pub patience: u64,
    /// A smaller change is no improvement.
    #[serde(default)]
    pub min_improvement: f64,
}

/// The loss on the table of `data.validation`.
pub const VALIDATION_LOSS: &str = "validation_loss";
/// Prefix of the accuracy on a table of `data.zero_shot`.
pub const ZERO_SHOT: &str = "zero_shot_top1_";

fn default_metric() -> String {
    VALIDATION_LOSS.into()
}

/// The names of the figures that are measured on a validation table, if there is one, and these zero-shot tables.
pub fn measured<'a>(has_validation: bool, zero_shot: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let loss = has_validation.then(|| VALIDATION_LOSS.to_owned());
    let accuracies = zero_shot.into_iter().map(|name| format!("{ZERO_SHOT}{name}"));
    loss.into_iter().chain(accuracies).collect()
}

impl EarlyStopping {
    /// Checks the settings of a run that measures these figures.
    ///
    /// # Errors
    /// For a figure that is not measured, and numbers that make no sense.
    pub fn validate(&self, measured: &[String]) -> Result<()> {
        let Self { metric, patience, min_improvement } = self;
        ensure!(*patience > 0, "patience is 0, expected at least 1");
        ensure!(
            *min_improvement >= 0.0 && min_improvement.is_finite(),
            "min_improvement is {min_improvement}, expected 0 or more"
        );
        ensure!(
            !measured.is_empty(),
            "nothing is measured, since there is neither data.validation nor data.zero_shot"
        );
        ensure!(measured.contains(metric), "metric is {metric:?}, expected {}", measured.join(" or "));
        Ok(())
    }

    /// Whether a figure is better than the best one so far.
    fn is_improvement(&self, figure: f64, best: f64) -> bool {
        let gain = if self.metric == VALIDATION_LOSS { best - figure } else { figure - best };
        gain > self.min_improvement
    }
}

/// The figure that a run watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    pub metric: String,
    pub best: f64,
    /// Evaluations since the best one.
    pub n_without_improvement: u64,
}

impl Watched {
    /// What early stopping starts from in a run that had none: the lowest validation loss so far, which is that of the
    /// checkpoint `best`. `None` for other figures, whose best value is not known.
    pub fn from_best_loss(stopping: &EarlyStopping, best_validation_loss: Option<f64>) -> Option<Self> {
        let best = best_validation_loss.filter(|_| stopping.metric == VALIDATION_LOSS)?;
        Some(Self { metric: stopping.metric.clone(), best, n_without_improvement: 0 })
    }

    /// Takes the figure of an evaluation into account; returns whether it is the best.
    pub fn follow(watched: &mut Option<Self>, stopping: &EarlyStopping, figure: f64) -> bool {
        let earlier = watched.take().filter(|earlier| earlier.metric == stopping.metric);
        let is_better = figure.is_finite()
            && earlier.as_ref().is_none_or(|earlier| stopping.is_improvement(figure, earlier.best));
        *watched = match earlier {
            Some(earlier) if !is_better => {
                Some(Self { n_without_improvement: earlier.n_without_improvement + 1, ..earlier })
            }
            None if !is_better => None,
            _ => Some(Self { metric: stopping.metric.clone(), best: figure, n_without_improvement: 0 }),
        };
        is_better
    }

    /// Whether the run ends here.
    pub fn is_over(&self, stopping: &EarlyStopping) -> bool {
        self.metric == stopping.metric && self.n_without_improvement >= stopping.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many of these figures a run ends.
    fn ends_after(metric: &str, patience: u64, min_improvement: f64, figures: &[f64]) -> Option<usize> {
        let stopping = EarlyStopping { metric: metric.into(), patience, min_improvement };
        let mut watched = None;
        figures.iter().position(|&figure| {
            Watched::follow(&mut watched, &stopping, figure);
            watched.as_ref().is_some_and(|watched| watched.is_over(&stopping))
        })
    }

    #[test]
    fn a_run_ends_after_so_many_evaluations_without_an_improvement() {
        assert_eq!(ends_after(VALIDATION_LOSS, 2, 0.0, &[3.0, 2.0, 2.5, 1.9, 1.9, 2.0, 1.0]), Some(5));
        assert_eq!(ends_after(VALIDATION_LOSS, 2, 0.0, &[3.0, 2.0, 1.0, 0.5]), None);
        assert_eq!(ends_after(VALIDATION_LOSS, 1, 0.2, &[3.0, 2.9]), Some(1));
        assert_eq!(ends_after("zero_shot_top1_pad", 1, 0.0, &[0.2, 0.3, 0.3]), Some(2));
        assert_eq!(ends_after(VALIDATION_LOSS, 2, 0.0, &[f64::NAN, 1.0, f64::NAN, f64::NAN]), Some(3));
    }

    #[test]
    fn early_stopping_that_is_added_to_a_run_keeps_its_best_loss() {
        let of = |metric: &str| EarlyStopping { metric: metric.into(), patience: 2, min_improvement: 0.0 };
        let mut watched = Watched::from_best_loss(&of(VALIDATION_LOSS), Some(1.0));
        assert!(!Watched::follow(&mut watched, &of(VALIDATION_LOSS), 1.5));
        assert!(Watched::follow(&mut watched, &of(VALIDATION_LOSS), 0.5));
        assert_eq!(Watched::from_best_loss(&of(VALIDATION_LOSS), None), None);
        assert_eq!(Watched::from_best_loss(&of("zero_shot_top1_pad"), Some(1.0)), None);
    }

    #[test]
    fn another_figure_begins_anew() {
        let of = |metric: &str| EarlyStopping { metric: metric.into(), patience: 1, min_improvement: 0.0 };
        let mut watched = Some(Watched { metric: "a".into(), best: 0.1, n_without_improvement: 1 });
        assert!(watched.as_ref().unwrap().is_over(&of("a")) && !watched.as_ref().unwrap().is_over(&of("b")));
        assert!(Watched::follow(&mut watched, &of("b"), 0.7));
        assert_eq!(watched, Some(Watched { metric: "b".into(), best: 0.7, n_without_improvement: 0 }));
    }

    #[test]
    fn a_figure_that_is_not_measured_is_named_beside_those_that_are() {
        let both = measured(true, ["synth"]);
        let check = |measured: &[String], metric: &str| {
            let stopping = EarlyStopping { metric: metric.into(), patience: 1, min_improvement: 0.0 };
            stopping.validate(measured).err().map_or(String::new(), |err| err.to_string())
        };
        assert_eq!(check(&both, "validation_loss"), "");
        assert_eq!(check(&both, "zero_shot_top1_synth"), "");
        assert_eq!(
            check(&both, "accuracy"),
            "metric is \"accuracy\", expected validation_loss or zero_shot_top1_synth"
        );
        assert!(check(&measured(false, []), "validation_loss").contains("nothing is measured"));
    }
}
