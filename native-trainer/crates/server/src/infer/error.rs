//! Errors of a model in place of a feature.

/// Why there is no feature.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the queue of {kind} is full: at most {most} wait for one model")]
    QueueFull { kind: &'static str, most: usize },
    #[error(transparent)]
    Input(#[from] shared_model::Error),
    /// The photo of this index cannot be read.
    #[error("photo {index}")]
    Photo { index: usize, source: shared_model::Error },
    /// The model does not have the scale of the request.
    #[error("`scale`: {0:#}")]
    Scale(anyhow::Error),
    #[error("the model's answer is not finite")]
    NotFinite,
    /// The cause was logged.
    #[error("the model failed")]
    Failed,
}
