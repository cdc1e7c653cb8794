//! An order of an epoch whose batches bring related diagnoses together, as O-MAKE's sampler does.
//!
//! Rare diagnoses learn from frequent and from rare ones beside them if these are related. Each batch has its part of
//! the rows whose diagnosis is known. In the first epoch these are random; over [`OntologySampling::ramp_epochs`] more
//! and more of them are chosen: frequent diagnoses at random, and of the rare ones those that are similar to a frequent
//! one of the batch and to another rare one. This follows the outline of `GraphBasedConnectivitySampler` of O-MAKE's
//! code (XiejiLi/MAGEN-O-MAKE), with its constants. It differs in that every batch but the last is whole, and in that
//! the order is a pure function of seed, epoch and table.

use super::ontology_sampling::OntologySampling;
use super::order::{Purpose, stream};
use dermake_objective::Lineage;
use rand::distr::weighted::WeightedIndex;
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The numbers 0 to `lineages.len()` - 1 in the order of an epoch: batch after batch, and then the rows that fill none.
pub fn ontology_order(
    (seed, epoch): (u64, usize),
    lineages: &[&Lineage],
    batch_size: usize,
    sampling: &OntologySampling,
) -> Vec<usize> {
    let mut rng = stream(seed, epoch as u64, 0, Purpose::OntologyOrder);
    let mut pools = Pools::new(lineages, sampling, &mut rng);
    let n_known = pools.known.len();
    let known_per_batch = (batch_size * n_known).checked_div(lineages.len()).unwrap_or(0);
    let share = sampling.chosen_share(epoch);
    let mut batches = Vec::new();
    for _ in 0..lineages.len() / batch_size {
        let mut batch = Vec::with_capacity(batch_size);
        let n_chosen = (known_per_batch as f64 * share) as usize;
        pools.known(known_per_batch - n_chosen, &mut batch);
        let n_frequent = (n_chosen as f64 * pools.frequent_share) as usize;
        pools.frequent(n_frequent, &mut batch);
        pools.rare(n_chosen - n_frequent, &mut batch, &mut rng);
        // What a pool lacked comes from the others.
        let n_missing = known_per_batch.saturating_sub(batch.len());
        pools.known(n_missing, &mut batch);
        pools.unknown(batch_size - batch.len(), &mut batch);
        let n_missing = batch_size - batch.len();
        pools.known(n_missing, &mut batch);
        batch.shuffle(&mut rng);
        batches.push(batch);
    }
    batches.shuffle(&mut rng);
    let mut order = batches.concat();
    pools.known(usize::MAX, &mut order);
    pools.unknown(usize::MAX, &mut order);
    order
}

/// The rows that are left, each pool in a random order.
struct Pools {
    known: Vec<usize>,
    frequent: Vec<usize>,
    unknown: Vec<usize>,
    frequent_share: f64,
    is_taken: Vec<bool>,
    /// The number of each row's diagnosis.
    diagnoses: Vec<usize>,
    rare: RareDiagnoses,
    /// Those of frequent diagnoses, by their numbers.
    frequent_lineages: BTreeMap<usize, Lineage>,
    temperature: f64,
}

/// Rare diagnoses, and the rows of each that are left.
struct RareDiagnoses {
    lineages: Vec<Lineage>,
    rows: Vec<Vec<usize>>,
}

impl Pools {
    fn new(lineages: &[&Lineage], sampling: &OntologySampling, rng: &mut ChaCha8Rng) -> Self {
        let mut rows_of: BTreeMap<&Lineage, Vec<usize>> = BTreeMap::new();
        for (row, &lineage) in lineages.iter().enumerate().filter(|(_, lineage)| lineage.is_known()) {
            rows_of.entry(lineage).or_default().push(row);
        }
        let mut by_frequency: Vec<(&Lineage, Vec<usize>)> = rows_of.into_iter().collect();
        by_frequency.sort_by_key(|(_, rows)| rows.len()); // stable
        let n_known: usize = by_frequency.iter().map(|(_, rows)| rows.len()).sum();
        let most_rare = (n_known as f64 * sampling.rare_share) as usize;
        let mut n_rare = 0;
        let mut rare = RareDiagnoses { lineages: Vec::new(), rows: Vec::new() };
        let mut frequent_lineages = BTreeMap::new();
        let mut frequent = Vec::new();
        let mut diagnoses = vec![usize::MAX; lineages.len()];
        for (number, (lineage, mut rows)) in by_frequency.into_iter().enumerate() {
            rows.iter().for_each(|&row| diagnoses[row] = number);
            if frequent.is_empty() && n_rare + rows.len() <= most_rare {
                n_rare += rows.len();
                rows.shuffle(rng);
                rare.lineages.push(lineage.clone());
                rare.rows.push(rows);
            } else {
                frequent_lineages.insert(number, lineage.clone());
                frequent.extend(rows);
            }
        }
        let (known, unknown): (Vec<usize>, Vec<usize>) =
            (0..lineages.len()).partition(|&row| lineages[row].is_known());
        Self {
            frequent_share: frequent.len() as f64 / n_known.max(1) as f64,
            known: shuffled(known, rng),
            frequent: shuffled(frequent, rng),
            unknown: shuffled(unknown, rng),
            is_taken: vec![false; lineages.len()],
            diagnoses,
            rare,
            frequent_lineages,
            temperature: sampling.temperature,
        }
    }

    fn known(&mut self, n: usize, batch: &mut Vec<usize>) {
        take(&mut self.known, &mut self.is_taken, n, batch);
    }

    fn frequent(&mut self, n: usize, batch: &mut Vec<usize>) {
        take(&mut self.frequent, &mut self.is_taken, n, batch);
    }

    fn unknown(&mut self, n: usize, batch: &mut Vec<usize>) {
        take(&mut self.unknown, &mut self.is_taken, n, batch);
    }

    /// Adds rows of rare diagnoses, drawn by their similarity to the batch's frequent ones and to other rare ones.
    fn rare(&mut self, n: usize, batch: &mut Vec<usize>, rng: &mut ChaCha8Rng) {
        let RareDiagnoses { lineages, rows } = &mut self.rare;
        let has_rows = |rows: &mut Vec<usize>| {
            drop_taken(rows, &self.is_taken);
            !rows.is_empty()
        };
        let mut is_there: Vec<bool> = rows.iter_mut().map(has_rows).collect();
        let is_peer = is_there.clone();
        let mut in_batch: Vec<&Lineage> =
            batch.iter().filter_map(|&row| self.frequent_lineages.get(&self.diagnoses[row])).collect();
        in_batch.sort_unstable();
        in_batch.dedup();
        let to_frequent: Vec<f64> = lineages.iter().map(|own| highest(own, in_batch.iter().copied())).collect();
        let mut choice = None;
        for _ in 0..n {
            if choice.is_none() {
                let scores = scores(lineages, &is_there, &is_peer, &to_frequent);
                let weights = scores.into_iter().map(|score| ((score - 1.0) / self.temperature).exp());
                choice = WeightedIndex::new(weights).ok();
            }
            let Some(index) = &choice else { return };
            let at = index.sample(rng);
            let Some(row) = rows[at].pop() else { return };
            self.is_taken[row] = true;
            batch.push(row);
            drop_taken(&mut rows[at], &self.is_taken);
            if rows[at].is_empty() {
                is_there[at] = false;
                choice = None;
            }
        }
    }
}

/// For each rare diagnosis, half its highest similarity to a frequent one of the batch and half that to another rare one
/// that is in the batch or has rows left; minus infinity for those that have none left.
fn scores(lineages: &[Lineage], is_there: &[bool], is_peer: &[bool], to_frequent: &[f64]) -> Vec<f64> {
    let score = |at: usize| {
        let others = (0..lineages.len()).filter(|&other| other != at && is_peer[other]);
        let to_rare = highest(&lineages[at], others.map(|other| &lineages[other]));
        if is_there[at] { 0.5 * (to_frequent[at] + to_rare) } else { f64::NEG_INFINITY }
    };
    (0..lineages.len()).map(score).collect()
}

fn highest<'a>(own: &Lineage, others: impl Iterator<Item = &'a Lineage>) -> f64 {
    others.map(|other| own.similarity(other)).fold(0.0, f64::max)
}

fn shuffled(mut rows: Vec<usize>, rng: &mut ChaCha8Rng) -> Vec<usize> {
    rows.shuffle(rng);
    rows
}

/// Moves up to `n` rows that are not taken yet from the end of a pool to the batch.
fn take(pool: &mut Vec<usize>, is_taken: &mut [bool], n: usize, batch: &mut Vec<usize>) {
    for _ in 0..n {
        drop_taken(pool, is_taken);
        let Some(row) = pool.pop() else { return };
        is_taken[row] = true;
        batch.push(row);
    }
}

fn drop_taken(pool: &mut Vec<usize>, is_taken: &[bool]) {
    while pool.last().is_some_and(|&row| is_taken[row]) {
        pool.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two groups of four diagnoses, of which one is frequent, and some rows without any.
    fn lineages() -> Vec<Lineage> {
        let mut lineages = Vec::new();
        for row in 0..600u32 {
            let group = row % 2;
            lineages.push(match row % 10 {
                0 => Lineage::default(),
                1..=6 => Lineage::new(&[group, 10 + group]),
                _ => Lineage::new(&[group, 20 + group, 30 + 2 * (row % 8 / 2) + group]),
            });
        }
        lineages
    }

    fn order(epoch: usize, sampling: &OntologySampling) -> Vec<usize> {
        let lineages = lineages();
        ontology_order((7, epoch), &lineages.iter().collect::<Vec<_>>(), 50, sampling)
    }

    #[test]
    fn an_order_is_a_permutation_of_its_own() {
        let sampling = OntologySampling { ramp_epochs: 3, ..OntologySampling::default() };
        for epoch in 0..4 {
            let order = order(epoch, &sampling);
            assert_eq!(order, self::order(epoch, &sampling));
            assert_ne!(order, self::order(epoch + 1, &sampling));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..600).collect::<Vec<_>>());
        }
        let none: Vec<Lineage> = vec![Lineage::default(); 7];
        assert_eq!(ontology_order((1, 0), &none.iter().collect::<Vec<_>>(), 3, &sampling).len(), 7);
        assert!(ontology_order((1, 0), &[], 3, &sampling).is_empty());
    }

    #[test]
    fn every_batch_has_its_part_of_the_unknown() {
        let lineages = lineages();
        for batch in order(5, &OntologySampling { ramp_epochs: 2, ..Default::default() }).chunks(50) {
            assert_eq!(batch.iter().filter(|&&row| !lineages[row].is_known()).count(), 5);
        }
    }

    #[test]
    fn later_epochs_bring_relatives_of_rare_diagnoses_together() {
        // Two frequent diagnoses of 40 rows, and rare ones of two rows: 18 in pairs of relatives, 18 alone.
        let mut lineages: Vec<Lineage> = (0..80).map(|row| Lineage::new(&[row % 2, 2 + row % 2])).collect();
        lineages.extend((0..36).map(|row| Lineage::new(&[10, 20 + row / 4, 40 + row / 2])));
        lineages.extend((0..36).map(|row| Lineage::new(&[100 + row / 2])));
        let sampling = OntologySampling { rare_share: 0.48, temperature: 0.02, ramp_epochs: 2 };
        let is_pair = |a: usize, b: usize| {
            let similarity = lineages[a].similarity(&lineages[b]);
            a >= 80 && similarity > 0.5 && similarity < 1.0
        };
        let n_pairs = |seed: u64, epoch: usize| -> usize {
            let order = ontology_order((seed, epoch), &lineages.iter().collect::<Vec<_>>(), 19, &sampling);
            let of_batch = |batch: &[usize]| {
                let pairs =
                    batch.iter().enumerate().flat_map(|(at, &a)| batch[at + 1..].iter().map(move |&b| (a, b)));
                pairs.filter(|&(a, b)| is_pair(a, b)).count()
            };
            order.chunks(19).map(of_batch).sum()
        };
        let of_epoch = |epoch: usize| -> usize { (0..20).map(|seed| n_pairs(seed, epoch)).sum() };
        let (random, chosen) = (of_epoch(0), of_epoch(1));
        assert!(2 * chosen > 3 * random, "{chosen} pairs, at random {random}");
    }
}
