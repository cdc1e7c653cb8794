//! t-SNE, which is left where it is when the user stops the command.

use super::neighbors::{distances, nearest};
use anyhow::{Context, Result, anyhow, bail};
use bhtsne::tSNE;
use dermake_process::interrupt::{self, Interrupted};
use ndarray::Array2;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Effective number of neighbors, as scikit-learn's default.
const PERPLEXITY: f32 = 30.0;
/// Accuracy of the sums over far points, and the steps, as scikit-learn's defaults.
const THETA: f32 = 0.5;
const STEPS: usize = 1000;
/// Standard deviation of the first coordinate at its start, as scikit-learn's.
const START_DEVIATION: f64 = 1e-4;
/// Time between two looks at whether the user stopped the command.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The map that t-SNE makes of features, from their principal components on. One thread adds up, so that sums have one
/// order and the map repeats.
///
/// # Errors
/// [`Interrupted`] on Ctrl-C; when no thread can be started.
pub fn tsne(features: &Array2<f32>, start: &[[f64; 2]]) -> Result<Vec<[f64; 2]>> {
    let n = features.nrows();
    let perplexity = PERPLEXITY.min((n - 1) as f32 / 3.0);
    let neighbors = nearest(&distances(features), (3.0 * perplexity) as usize);
    let deviation = (start.iter().map(|[x, _]| x * x).sum::<f64>() / n as f64).sqrt();
    let factor = if deviation > 0.0 { START_DEVIATION / deviation } else { 0.0 };
    let start: Vec<f32> = start.iter().flatten().map(|value| (value * factor) as f32).collect();
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().context("cannot start a thread for the map")?;
    let embed = move || -> Vec<f32> {
        let rows: Vec<usize> = (0..n).collect();
        pool.install(|| {
            tSNE::<f32, usize, 2>::new(&rows)
                .perplexity(perplexity)
                .epochs(STEPS)
                .initial_embedding(start)
                .barnes_hut_with_neighbors(THETA, &neighbors)
                .embedding()
        })
    };
    let points = unless_stopped(embed, interrupt::is_requested)?;
    Ok(points.chunks_exact(2).map(|point| [f64::from(point[0]), f64::from(point[1])]).collect())
}

/// What `work` returns, from a thread of its own, which ends with the process if it is stopped before.
///
/// # Errors
/// [`Interrupted`] as soon as `is_stopped`; when the thread cannot be started, or panics.
fn unless_stopped<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    is_stopped: impl Fn() -> bool,
) -> Result<T> {
    let (sender, done) = channel();
    let thread = std::thread::Builder::new().name("map".into());
    // Where nobody waits any more, the result is of no use.
    thread.spawn(move || drop(sender.send(work()))).context("cannot start a thread for the map")?;
    loop {
        match done.recv_timeout(BETWEEN_LOOKS) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) if is_stopped() => bail!(Interrupted),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(anyhow!("the thread of the map ended unexpectedly")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_stop_request_does_not_wait_for_the_map() {
        let (sender, release) = channel::<()>();
        let started = Instant::now();
        let err = unless_stopped(move || release.recv(), || true).unwrap_err();
        assert!(err.is::<Interrupted>() && started.elapsed() < Duration::from_secs(10), "{err:#}");
        drop(sender);
        assert_eq!(unless_stopped(|| 7, || true).unwrap(), 7, "what is done is kept");
        assert!(unless_stopped(|| panic!("as a test"), || false).is_err_and(|err| !err.is::<Interrupted>()));
    }
}
