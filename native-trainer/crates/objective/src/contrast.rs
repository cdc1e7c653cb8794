//! Softmax cross-entropy between two sets of features, with its gradients, in closed form.

use anyhow::Result;
use candle_core::{D, Device, Tensor};
use std::collections::BTreeMap;

/// Logits that are formed at a time; more queries than fit are taken in pieces.
const LOGITS_AT_ONCE: usize = 1 << 26;

/// Matching pairs: (query, key, weight), with weights divided by their sum.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    queries: Vec<u32>,
    keys: Vec<u32>,
    weights: Vec<f32>,
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
        }
        targets
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

/// One cross-entropy and its gradients.
#[derive(Clone, Debug)]
pub struct ContrastTerm {
    pub loss: f64,
    /// In the shape of the queries.
    pub queries: Tensor,
    /// In the shape of the keys.
    pub keys: Tensor,
    pub logit_scale: f64,
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

    /// The weighted mean over `targets` of `logsumexp_k(s q.k + ln count_k) - s q.k_target`.
    ///
    /// # Shapes
    /// - `queries`: `[N, E]`
    pub fn term(&self, queries: &Tensor, targets: &Targets) -> Result<ContrastTerm> {
        let mut term = ContrastTerm {
            loss: 0.0,
            queries: queries.zeros_like()?,
            keys: self.keys.zeros_like()?,
            logit_scale: 0.0,
        };
        if targets.queries.is_empty() {
            return Ok(term);
        }
        let device = queries.device();
        let (used, weights) = targets.weight_of_queries();
        let rows_at_once = (LOGITS_AT_ONCE / self.keys.dim(0)?).max(1);
        for (used, weights) in used.chunks(rows_at_once).zip(weights.chunks(rows_at_once)) {
            let rows = Tensor::new(used, device)?;
            let part = queries.index_select(&rows, 0)?;
            let (loss, part_gradient, key_gradient) = self.denominators(&part, weights)?;
            term.loss += loss;
            term.queries = term.queries.index_add(&rows, &part_gradient, 0)?;
            term.keys = (term.keys + key_gradient)?;
        }
        self.subtract_numerators(&mut term, queries, targets, device)?;
        // Each logit is the scale times a product that is linear in the query.
        let product = (queries * &term.queries)?.sum_all()?.to_scalar::<f32>()?;
        term.logit_scale = f64::from(product) / self.logit_scale;
        Ok(term)
    }

    /// The weighted sum of the log-sum-exp of each row of `queries` `[n, E]`; its gradients.
    fn denominators(&self, queries: &Tensor, weights: &[f32]) -> Result<(f64, Tensor, Tensor)> {
        let logits = (queries.matmul(&self.keys.t()?)? * self.logit_scale)?;
        let logits = match &self.log_counts {
            Some(log_counts) => logits.broadcast_add(log_counts)?,
            None => logits,
        };
        let max = logits.max_keepdim(D::Minus1)?;
        let exponentials = logits.broadcast_sub(&max)?.exp()?;
        drop(logits);
        let sums = exponentials.sum_keepdim(D::Minus1)?;
        let log_sums = (sums.log()? + max)?.flatten_all()?.to_vec1::<f32>()?;
        let loss =
            log_sums.iter().zip(weights).map(|(&log_sum, &weight)| f64::from(log_sum) * f64::from(weight)).sum();
        let factors = Tensor::new(weights, queries.device())?.unsqueeze(1)?;
        let factors = (factors.div(&sums)? * self.logit_scale)?;
        let gradient = exponentials.broadcast_mul(&factors)?; // of the products q.k
        Ok((loss, gradient.matmul(self.keys)?, gradient.t()?.matmul(queries)?))
    }

    fn subtract_numerators(
        &self,
        term: &mut ContrastTerm,
        queries: &Tensor,
        targets: &Targets,
        device: &Device,
    ) -> Result<()> {
        let query_rows = Tensor::new(&targets.queries[..], device)?;
        let key_rows = Tensor::new(&targets.keys[..], device)?;
        let (queries, keys) = (queries.index_select(&query_rows, 0)?, self.keys.index_select(&key_rows, 0)?);
        let products = (&queries * &keys)?.sum(D::Minus1)?.to_vec1::<f32>()?;
        let weighted = products.iter().zip(&targets.weights).map(|(&p, &w)| f64::from(p) * f64::from(w));
        term.loss -= self.logit_scale * weighted.sum::<f64>();
        let factors = (Tensor::new(&targets.weights[..], device)?.unsqueeze(1)? * -self.logit_scale)?;
        term.queries = term.queries.index_add(&query_rows, &keys.broadcast_mul(&factors)?, 0)?;
        term.keys = term.keys.index_add(&key_rows, &queries.broadcast_mul(&factors)?, 0)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[[f32; 2]]) -> Tensor {
        Tensor::from_vec(values.as_flattened().to_vec(), (values.len(), 2), &Device::Cpu).unwrap()
    }

    #[test]
    fn a_count_stands_for_that_many_rows() {
        let queries = tensor(&[[0.6, 0.8], [1.0, 0.0], [0.0, 1.0]]);
        let targets = || Targets::from_pairs([(0, 1, 2.0), (2, 0, 1.0)].into_iter());
        let keys = tensor(&[[0.0, 1.0], [0.8, 0.6]]);
        let counted = Contrast::with_counts(&keys, &[3, 1], 5.0).unwrap().term(&queries, &targets()).unwrap();
        let written_out = tensor(&[[0.0, 1.0], [0.8, 0.6], [0.0, 1.0], [0.0, 1.0]]);
        let plain = Contrast::new(&written_out, 5.0).term(&queries, &targets()).unwrap();
        assert!((counted.loss - plain.loss).abs() < 1e-6);
        assert!((counted.logit_scale - plain.logit_scale).abs() < 1e-6);
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
        assert!((term.loss - (1.0 + (-2f64).exp()).ln()).abs() < 1e-6);
    }

    #[test]
    fn nothing_to_tell_apart_is_no_loss() {
        let keys = tensor(&[[1.0, 0.0]]);
        let term = Contrast::new(&keys, 2.0).term(&keys, &Targets::from_pairs([(0, 0, 0.0)].into_iter())).unwrap();
        assert_eq!((term.loss, term.logit_scale), (0.0, 0.0));
    }
}
