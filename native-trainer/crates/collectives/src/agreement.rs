//! What ranks decide together: the results and errors of one rank for all.

use super::Collectives;
use super::error::RankError;
use anyhow::{Error, Result, anyhow, bail};
use dermake_process::interrupt::Interrupted;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An error of one rank, for the others.
#[derive(Serialize, Deserialize)]
struct Told {
    message: String,
    is_interrupted: bool,
}

impl Told {
    fn new(err: &Error) -> Self {
        Self { message: format!("{err:#}"), is_interrupted: err.is::<Interrupted>() }
    }
}

/// Runs `work` on the first rank; all ranks return what it returned there.
///
/// # Errors
/// When `work` fails on the first rank; when another rank failed.
pub fn on_first<T>(ranks: &dyn Collectives, work: impl FnOnce() -> Result<T>) -> Result<T>
where
    T: Serialize + DeserializeOwned,
{
    if ranks.size() == 1 {
        return work();
    }
    if ranks.rank() != 0 {
        let told: Result<T, Told> = serde_json::from_slice(&ranks.broadcast(0, &[])?)?;
        return told.map_err(|told| RankError::Failed { rank: 0, message: told.message }.into());
    }
    let done = work();
    ranks.broadcast(0, &serde_json::to_vec(&done.as_ref().map_err(Told::new))?)?;
    done
}

/// Returns the results of all ranks, by rank.
///
/// # Errors
/// When one of them is an error: its own on the rank that has one, [`Interrupted`] on all if a rank has that. When
/// another rank failed.
pub fn together<T>(ranks: &dyn Collectives, own: Result<T>) -> Result<Vec<T>>
where
    T: Serialize + DeserializeOwned,
{
    if ranks.size() == 1 {
        return Ok(vec![own?]);
    }
    let told = ranks.all_gather(&serde_json::to_vec(&own.as_ref().map_err(Told::new))?)?;
    let told: Vec<Result<T, Told>> =
        told.iter().map(|told| serde_json::from_slice(told)).collect::<Result<_, _>>()?;
    if told.iter().any(|told| told.as_ref().is_err_and(|told| told.is_interrupted)) {
        bail!(Interrupted);
    }
    own?;
    let of_rank =
        |(rank, told): (usize, Result<T, Told>)| told.map_err(|told| anyhow!("on rank {rank}: {}", told.message));
    told.into_iter().enumerate().map(of_rank).collect()
}

/// Checks that all ranks have the same hashes.
///
/// # Errors
/// Names a rank that has others, and which.
pub fn check_same(ranks: &dyn Collectives, hashes: &BTreeMap<String, String>) -> Result<()> {
    let of_ranks = together(ranks, Ok(hashes.clone()))?;
    for (rank, of_rank) in of_ranks.iter().enumerate() {
        let differing: Vec<&str> =
            hashes.keys().filter(|&name| of_rank.get(name) != hashes.get(name)).map(String::as_str).collect();
        if !differing.is_empty() {
            bail!(
                "rank {rank} has another {} than rank {}; all ranks need the same recipe, data, model and program",
                differing.join(", another "),
                ranks.rank()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tcp;

    fn on_two<T: Send>(work: impl Fn(&dyn Collectives) -> T + Sync) -> Vec<T> {
        let ranks = Tcp::in_threads(2).unwrap();
        std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = ranks.into_iter().map(|rank| scope.spawn(move || work(&rank))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn an_error_of_one_rank_is_known_to_all() {
        let said = on_two(|ranks| {
            let own = if ranks.rank() == 1 { Err(anyhow!("no disk")) } else { Ok(7) };
            together(ranks, own).unwrap_err().to_string()
        });
        assert_eq!(said, ["on rank 1: no disk", "no disk"]);
        let stopped = on_two(|ranks| {
            let own = if ranks.rank() == 1 { Err(Interrupted.into()) } else { Ok(7) };
            together(ranks, own).unwrap_err().is::<Interrupted>()
        });
        assert_eq!(stopped, [true, true]);
        let done = on_two(|ranks| on_first(ranks, || Ok(ranks.rank() + 5)).unwrap());
        assert_eq!(done, [5, 5]);
    }

    #[test]
    fn another_hash_is_named() {
        let said = on_two(|ranks| {
            let model = ("model".to_string(), ranks.rank().to_string());
            check_same(ranks, &BTreeMap::from([model, ("program".into(), "1".into())])).unwrap_err().to_string()
        });
        assert!(said[0].starts_with("rank 1 has another model than rank 0"), "{said:?}");
        assert!(said[1].starts_with("rank 0 has another model than rank 1"), "{said:?}");
    }
}
