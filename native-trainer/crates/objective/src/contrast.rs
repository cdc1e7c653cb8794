//! Softmax cross-entropy between two sets of features, with its gradients, in closed form.

use super::row_sums::sum_rows_by_key;
use anyhow::Result;
use candle_core::{D, DType, Tensor};
use std::collections::BTreeMap;
use std::ops::Range;

/// Logits that are formed at a time; more queries than fit are taken in pieces.
pub const LOGITS_AT_ONCE: usize = 1 << 26;

/// Matching pairs: (query, key, weight), with weights divided by their sum.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    queries: Vec<u32>,
    keys: Vec<u32>,
    weights: Vec<f32>,
    /// Share of each pair's target that is its key's own: 1, unless others have the rest.
    own_shares: Vec<f32>,
}

impl Targets {
    /// Pairs of weight 0 are left out.
    pub fn from_pairs(pairs: impl Iterator<Item = (usize, usize, f32)>) -> Self {
        let pairs: Vec<_> = pairs.filter(|&(_, _, weight)| weight != 0.0).collect();
        let total: f64 = pairs.iter().map(|&(_, _, weight)| f64::from(weight)).sum();
        let mut targets = Self::default();
        for (query, key, weight) in pairs {
            targets.queries.push(query as u32);
            targets.keys.push(key as u32);
            targets.weights.push((f64::from(weight) / total) as f32);
            targets.own_shares.push(1.0);
        }
        targets
    }

    /// Leaves each pair's key the share that `of_pair` gives for its query and key. The logits of those that have the
    /// rest are not part of [`Contrast::term`].
    pub fn with_own_shares(mut self, of_pair: impl Fn(usize, usize) -> f64) -> Self {
        for ((share, &query), &key) in self.own_shares.iter_mut().zip(&self.queries).zip(&self.keys) {
            *share = of_pair(query as usize, key as usize) as f32;
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// (query, key, weight) of each pair.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, f32)> {
        let pairs = self.queries.iter().zip(&self.keys).zip(&self.weights);
        pairs.map(|((&query, &key), &weight)| (query as usize, key as usize, weight))
    }

    /// The targets of some queries, whose rows are counted from the first of them. Weights stay as they are.
    pub fn of_queries(&self, own: &Range<usize>) -> Self {
        let mut targets = Self::default();
        for ((query, key, weight), &share) in self.iter().zip(&self.own_shares) {
            if own.contains(&query) {
                targets.queries.push((query - own.start) as u32);
                targets.keys.push(key as u32);
                targets.weights.push(weight);
                targets.own_shares.push(share);
            }
        }
        targets
    }

    /// The weight of each pair's own key.
    fn own_weights(&self) -> Vec<f32> {
        self.weights.iter().zip(&self.own_shares).map(|(weight, share)| weight * share).collect()
    }

    /// The queries that have a target at all, ascending, and the summed weight of each.
    fn weight_of_queries(&self) -> (Vec<u32>, Vec<f32>) {
        let mut sums = BTreeMap::new();
        for (&query, &weight) in self.queries.iter().zip(&self.weights) {
            *sums.entry(query).or_insert(0f64) += f64::from(weight);
        }
        sums.into_iter().map(|(query, weight)| (query, weight as f32)).unzip()
    }
}

/// The keys that queries are compared with.
pub struct Contrast<'a> {
    /// `[M, E]`
    keys: &'a Tensor,
    /// `[1, M]`: the logarithm of how often a key occurs, `-inf` for one that is left out.
    log_counts: Option<Tensor>,
    logit_scale: f64,
}

/// One cross-entropy and its gradients. Nothing of it has been read back from the device.
#[derive(Clone, Debug)]
pub struct ContrastTerm {
    /// One value, f64.
    pub loss: Tensor,
    /// In the shape of the queries.
    pub queries: Tensor,
    /// In the shape of the keys.
    pub keys: Tensor,
    /// One value, f64.
    pub logit_scale: Tensor,
}

impl<'a> Contrast<'a> {
    /// Every key once.
    pub fn new(keys: &'a Tensor, logit_scale: f64) -> Self {
        Self { keys, log_counts: None, logit_scale }
    }

    /// Key k occurs `counts[k]` times in every denominator.
    pub fn with_counts(keys: &'a Tensor, counts: &[u32], logit_scale: f64) -> Result<Self> {
        let log_counts = match counts.iter().all(|&count| count == 1) {
            true => None,
            false => {
                let logarithms: Vec<f32> = counts.iter().map(|&count| (count as f32).ln()).collect();
                Some(Tensor::from_vec(logarithms, (1, counts.len()), keys.device())?)
            }
        };
        Ok(Self { keys, log_counts, logit_scale })
    }

    pub fn logit_scale(&self) -> f64 {
        self.logit_scale
    }

    /// The weighted mean over `targets` of `logsumexp_k(s q.k + ln count_k) - s q.k_target`.
    ///
    /// # Shapes
    /// - `queries`: `[N, E]`
    pub fn term(&self, queries: &Tensor, targets: &Targets) -> Result<ContrastTerm> {
        let zero = Tensor::zeros((), DType::F64, queries.device())?;
        let mut term = ContrastTerm {
            loss: zero.clone(),
            queries: queries.zeros_like()?,
            keys: self.keys.zeros_like()?,
            logit_scale: zero,
        };
        if targets.is_empty() {
            return Ok(term);
        }
        let (used, weights) = targets.weight_of_queries();
        let rows_at_once = (LOGITS_AT_ONCE / self.keys.dim(0)?).max(1);
        let mut query_gradients = Vec::new();
        for (used, weights) in used.chunks(rows_at_once).zip(weights.chunks(rows_at_once)) {
            let part = queries.index_select(&Tensor::new(used, queries.device())?, 0)?;
            let (loss, query_gradient, key_gradient) = self.denominators(&part, weights)?;
            term.loss = (term.loss + loss)?;
            query_gradients.push(query_gradient);
            term.keys = (term.keys + key_gradient)?;
        }
        term.queries = sum_rows_by_key(&Tensor::cat(&query_gradients, 0)?, &used, queries.dim(0)?)?;
        self.subtract_numerators(&mut term, queries, targets)?;
        // Each logit is the scale times a product that is linear in the query.
        let product = (queries * &term.queries)?.sum_all()?.to_dtype(DType::F64)?;
        term.logit_scale = (product / self.logit_scale)?;
        Ok(term)
    }

    /// The weighted sum of the log-sum-exp of each row of `queries` `[n, E]`; its gradients.
    fn denominators(&self, queries: &Tensor, weights: &[f32]) -> Result<(Tensor, Tensor, Tensor)> {
        let logits = (queries.matmul(&self.keys.t()?)? * self.logit_scale)?;
        let logits = match &self.log_counts {
            Some(log_counts) => logits.broadcast_add(log_counts)?,
            None => logits,
        };
        let max = logits.max_keepdim(D::Minus1)?;
        let exponentials = logits.broadcast_sub(&max)?.exp()?;
        drop(logits);
        let sums = exponentials.sum_keepdim(D::Minus1)?;
        let loss = weighted_sum(&(sums.log()? + max)?.flatten_all()?, weights)?;
        let factors = Tensor::new(weights, queries.device())?.unsqueeze(1)?;
        let factors = (factors.div(&sums)? * self.logit_scale)?;
        let gradient = exponentials.broadcast_mul(&factors)?; // of the products q.k
        Ok((loss, gradient.matmul(self.keys)?, gradient.t()?.matmul(queries)?))
    }

    fn subtract_numerators(&self, term: &mut ContrastTerm, queries: &Tensor, targets: &Targets) -> Result<()> {
        let device = queries.device();
        let query_rows = Tensor::new(&targets.queries[..], device)?;
        let key_rows = Tensor::new(&targets.keys[..], device)?;
        let (queries, keys) = (queries.index_select(&query_rows, 0)?, self.keys.index_select(&key_rows, 0)?);
        let weights = targets.own_weights();
        let numerators = weighted_sum(&(&queries * &keys)?.sum(D::Minus1)?, &weights)?;
        term.loss = (&term.loss - (numerators * self.logit_scale)?)?;
        let factors = (Tensor::new(&weights[..], device)?.unsqueeze(1)? * -self.logit_scale)?;
        let of_queries = sum_rows_by_key(&keys.broadcast_mul(&factors)?, &targets.queries, term.queries.dim(0)?)?;
        let of_keys = sum_rows_by_key(&queries.broadcast_mul(&factors)?, &targets.keys, self.keys.dim(0)?)?;
        (term.queries, term.keys) = ((&term.queries + of_queries)?, (&term.keys + of_keys)?);
        Ok(())
    }
}

/// The sum of values `[n]` times weights, in f64.
fn weighted_sum(values: &Tensor, weights: &[f32]) -> Result<Tensor> {
    let weights = Tensor::new(weights, values.device())?.to_dtype(DType::F64)?;
    Ok((values.to_dtype(DType::F64)? * weights)?.sum_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn tensor(values: &[[f32; 2]]) -> Tensor {
        Tensor::from_vec(values.as_flattened().to_vec(), (values.len(), 2), &Device::Cpu).unwrap()
    }

    fn value(scalar: &Tensor) -> f64 {
        scalar.to_scalar().unwrap()
    }

    #[test]
    fn a_count_stands_for_that_many_rows() {
        let queries = tensor(&[[0.6, 0.8], [1.0, 0.0], [0.0, 1.0]]);
        let targets = || Targets::from_pairs([(0, 1, 2.0), (2, 0, 1.0)].into_iter());
        let keys = tensor(&[[0.0, 1.0], [0.8, 0.6]]);
        let counted = Contrast::with_counts(&keys, &[3, 1], 5.0).unwrap().term(&queries, &targets()).unwrap();
        let written_out = tensor(&[[0.0, 1.0], [0.8, 0.6], [0.0, 1.0], [0.0, 1.0]]);
        let plain = Contrast::new(&written_out, 5.0).term(&queries, &targets()).unwrap();
        assert!((value(&counted.loss) - value(&plain.loss)).abs() < 1e-6);
        assert!((value(&counted.logit_scale) - value(&plain.logit_scale)).abs() < 1e-6);
        let difference =
            |a: &Tensor, b: &Tensor| (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference(&counted.queries, &plain.queries) < 1e-6);
        let gathered = plain.keys.index_add(
            &Tensor::new(&[0u32, 0], &Device::Cpu).unwrap(),
            &plain.keys.narrow(0, 2, 2).unwrap(),
            0,
        );
        assert!(difference(&counted.keys, &gathered.unwrap().narrow(0, 0, 2).unwrap()) < 1e-6);
    }

    #[test]
    fn one_pair_by_hand() {
        // Logits 2 and 0: the loss of choosing the first is ln(1 + e^-2).
        let (queries, keys) = (tensor(&[[1.0, 0.0]]), tensor(&[[1.0, 0.0], [0.0, 1.0]]));
        let targets = Targets::from_pairs([(0, 0, 7.0)].into_iter());
        let term = Contrast::new(&keys, 2.0).term(&queries, &targets).unwrap();
        assert!((value(&term.loss) - (1.0 + (-2f64).exp()).ln()).abs() < 1e-6);
    }

    #[test]
    fn nothing_to_tell_apart_is_no_loss() {
        let keys = tensor(&[[1.0, 0.0]]);
        let term = Contrast::new(&keys, 2.0).term(&keys, &Targets::from_pairs([(0, 0, 0.0)].into_iter())).unwrap();
        assert_eq!((value(&term.loss), value(&term.logit_scale)), (0.0, 0.0));
    }
}
