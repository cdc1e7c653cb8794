//! The position of each parameter in the flat arrays of weights, gradients and moments.

use anyhow::{Context, Result};
use shared_model::config::Parameter;
use shared_model::weights::{Placement, Weights};
use std::collections::BTreeMap;
use std::ops::Range;

/// Parameters start at multiples of this many values: GPUs read 16 bytes at a time.
const ALIGNMENT: usize = 64;

/// The place of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    /// As PyTorch stores it.
    pub shape: Vec<usize>,
}

impl Span {
    /// Number of values.
    pub fn n_values(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.n_values()
    }
}

/// The places of all parameters: first those that weight decay applies to, last those that are locked.
///
/// Values between parameters are zero in every array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterLayout {
    /// By open_clip key.
    spans: BTreeMap<String, Span>,
    n_decayed: usize,
    n_trained: usize,
    len: usize,
}

impl ParameterLayout {
    /// Lays out parameters in the order given, after those for which `is_decayed(key, rank)` holds.
    pub fn new(parameters: &[Parameter], is_decayed: impl Fn(&str, usize) -> bool) -> Self {
        Self::with_locked(parameters, is_decayed, |_| false)
    }

    /// Lays out those for which `is_locked(key)` holds last: they have neither gradients nor moments.
    pub fn with_locked(
        parameters: &[Parameter],
        is_decayed: impl Fn(&str, usize) -> bool,
        is_locked: impl Fn(&str) -> bool,
    ) -> Self {
        let (locked, trained): (Vec<_>, Vec<_>) =
            parameters.iter().partition(|parameter| is_locked(&parameter.name));
        let (decayed, others): (Vec<_>, Vec<_>) =
            trained.into_iter().partition(|parameter| is_decayed(&parameter.name, parameter.shape.len()));
        let (mut spans, mut len) = (BTreeMap::new(), 0);
        let mut place = |parameters: &[&Parameter]| {
            for parameter in parameters {
                let span = Span { start: len, shape: parameter.shape.clone() };
                len = span.range().end.next_multiple_of(ALIGNMENT);
                spans.insert(parameter.name.clone(), span);
            }
            len
        };
        let n_decayed = place(&decayed);
        let n_trained = place(&others);
        let len = place(&locked);
        Self { spans, n_decayed, n_trained, len }
    }

    /// Values of a flat array, the gaps included.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Weight decay applies to the values before this one.
    pub fn n_decayed(&self) -> usize {
        self.n_decayed
    }

    /// Values before the first locked one, the gaps included: the length of gradients and moments.
    pub fn n_trained(&self) -> usize {
        self.n_trained
    }

    /// Keys and places of what is not locked, by key.
    pub fn iter_trained(&self) -> impl Iterator<Item = (&str, &Span)> {
        self.iter().filter(|(_, span)| span.start < self.n_trained)
    }

    /// Values of all parameters, without the gaps.
    pub fn n_values(&self) -> usize {
        self.spans.values().map(Span::n_values).sum()
    }

    /// The flat array of a model's weights, f32.
    ///
    /// # Errors
    /// When a tensor is missing or cannot be read.
    pub fn flattened(&self, weights: &Weights) -> Result<Vec<f32>> {
        let mut values = vec![0f32; self.len];
        for (name, span) in self.iter() {
            let tensor = weights.tensor(name, &Placement::default())?.flatten_all()?;
            values[span.range()].copy_from_slice(&tensor.to_vec1::<f32>()?);
        }
        Ok(values)
    }

    /// Keys and places, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Span)> {
        self.spans.iter().map(|(name, span)| (name.as_str(), span))
    }

    /// # Errors
    /// When there is no parameter of this key.
    pub fn span(&self, name: &str) -> Result<&Span> {
        self.spans.get(name).with_context(|| format!("the model has no parameter {name}"))
    }

    /// A linear layer: `weight` `[out, in]` (axes after the first are joined) and, where named, its bias.
    pub(super) fn linear(&self, weight: &str, bias: Option<&str>) -> Result<LinearLayer> {
        let span = self.span(weight)?;
        let (n_out, n_in) = (span.shape[0], span.shape[1..].iter().product());
        let bias = bias.map(|name| Ok::<_, anyhow::Error>(self.span(name)?.range())).transpose()?;
        Ok(LinearLayer { weight: span.range(), bias, n_in, n_out })
    }

    /// A projection stored `[in, out]`.
    pub(super) fn projection(&self, name: &str) -> Result<Projection> {
        let span = self.span(name)?;
        Ok(Projection { weight: span.range(), n_in: span.shape[0], n_out: span.shape[1] })
    }

    pub(super) fn layer_norm(&self, prefix: &str) -> Result<NormLayer> {
        let range = |name: &str| Ok::<_, anyhow::Error>(self.span(&format!("{prefix}.{name}"))?.range());
        Ok(NormLayer { weight: range("weight")?, bias: range("bias")? })
    }
}

/// `x W^T + b`: the places of W `[n_out, n_in]` and b `[n_out]`.
#[derive(Clone, Debug)]
pub struct LinearLayer {
    pub weight: Range<usize>,
    pub bias: Option<Range<usize>>,
    pub n_in: usize,
    pub n_out: usize,
}

/// `x P`: the place of P `[n_in, n_out]`.
#[derive(Clone, Debug)]
pub struct Projection {
    pub weight: Range<usize>,
    pub n_in: usize,
    pub n_out: usize,
}

/// A layer norm: the places of its weight and bias, `[D]` each.
#[derive(Clone, Debug)]
pub struct NormLayer {
    pub weight: Range<usize>,
    pub bias: Range<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_apart_aligned_and_decayed_ones_come_first() {
        let parameter = |name: &str, shape: &[usize]| Parameter { name: name.into(), shape: shape.to_vec() };
        let parameters = [parameter("a.bias", &[3]), parameter("a.weight", &[3, 30]), parameter("scale", &[])];
        let layout = ParameterLayout::new(&parameters, |_, rank| rank == 2);
        assert_eq!(layout.span("a.weight").unwrap().range(), 0..90);
        assert_eq!(layout.span("a.bias").unwrap().range(), 128..131);
        assert_eq!(layout.span("scale").unwrap().range(), 192..193);
        assert_eq!((layout.n_decayed(), layout.len(), layout.n_values()), (128, 256, 94));
        assert!(layout.span("b").unwrap_err().to_string().contains("no parameter b"));
        assert_eq!(layout.n_trained(), layout.len());
    }

    #[test]
    fn locked_parameters_are_behind_all_others() {
        let parameter = |name: &str, shape: &[usize]| Parameter { name: name.into(), shape: shape.to_vec() };
        let parameters =
            [parameter("a.weight", &[3, 30]), parameter("b.weight", &[2, 2]), parameter("b.bias", &[2])];
        let layout = ParameterLayout::with_locked(&parameters, |_, rank| rank == 2, |name| name.starts_with('a'));
        assert_eq!((layout.n_decayed(), layout.n_trained(), layout.len()), (64, 128, 256));
        assert_eq!(layout.span("a.weight").unwrap().start, 128);
        assert_eq!(layout.iter_trained().map(|(name, _)| name).collect::<Vec<_>>(), ["b.bias", "b.weight"]);
    }
}
