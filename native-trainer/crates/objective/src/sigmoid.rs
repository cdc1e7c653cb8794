//! SigLIP's loss (arXiv 2303.15343), with its gradients in closed form: one sigmoid for each pair of an image and a text.

use super::contrast::LOGITS_AT_ONCE;
use super::{Captions, Features, Loss};
use anyhow::Result;
use candle_core::{DType, Tensor};
use std::ops::Range;

/// What turns a cosine into a logit: `scale * cosine + bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairLogits {
    pub scale: f64,
    pub bias: f64,
}

impl PairLogits {
    /// What the paper begins with.
    pub const START: Self = Self { scale: 10.0, bias: -10.0 };
}

/// The sum over all pairs of `softplus(z)` for images with texts of others and `softplus(-z)` for images with their own
/// captions, divided by the number of captions that count.
///
/// A caption that occurs m times in the batch is m texts, as in open_clip. The pair of an image with its own caption of
/// mask 0 is left out. Only the pairs of the images in `own` are computed; divided is by the captions of all.
pub fn loss(
    features: &Features,
    captions: &Captions,
    logits: PairLogits,
    with_masked: bool,
    own: &Range<usize>,
) -> Result<Loss> {
    let (n_samples, n_texts) = (features.image.dim(0)?, features.text.dim(0)?);
    let device = features.image.device();
    let counts: Vec<f32> = captions.multiplicities(with_masked).into_iter().map(|count| count as f32).collect();
    let counts = Tensor::from_vec(counts, (1, n_texts), device)?;
    let n_counted = captions.valid(true).len().max(1) as f64;
    let mut total = Tensor::zeros((), DType::F64, device)?;
    let mut of_bias = total.clone();
    let (mut image, mut text) = (Vec::new(), features.text.zeros_like()?);
    let rows_at_once = (LOGITS_AT_ONCE / n_texts).max(1);
    for start in own.clone().step_by(rows_at_once) {
        let rows = start..own.end.min(start + rows_at_once);
        let part = features.image.narrow(0, rows.start, rows.len())?;
        let z = ((part.matmul(&features.text.t()?)? * logits.scale)? + logits.bias)?;
        let of_own = |is_own: &dyn Fn(usize) -> bool| own_captions(captions, &rows, n_texts, is_own, &z);
        let positives = of_own(&|sample| captions.is_valid(sample, 0))?;
        let not_others = of_own(&|sample| with_masked || captions.is_valid(sample, 0))?;
        let negatives = counts.broadcast_sub(&not_others)?;
        let pairs = ((&positives * softplus(&z.neg()?)?)? + (&negatives * softplus(&z)?)?)?;
        total = (total + pairs.to_dtype(DType::F64)?.sum_all()?)?;
        let sigmoid = sigmoid(&z)?;
        let dz = (((&positives + &negatives)? * &sigmoid)? - &positives)?;
        let dz = (dz / n_counted)?;
        of_bias = (of_bias + dz.to_dtype(DType::F64)?.sum_all()?)?;
        let products = (dz * logits.scale)?;
        image.push(products.matmul(&features.text)?);
        text = (text + products.t()?.matmul(&part)?)?;
    }
    let image = match image.as_slice() {
        [] => features.image.zeros_like()?,
        parts if own.len() == n_samples => Tensor::cat(parts, 0)?,
        parts => Tensor::cat(parts, 0)?.pad_with_zeros(0, own.start, n_samples - own.end)?,
    };
    // Each logit is the scale times a product that is linear in the image's feature, and the bias.
    let of_scale = ((&features.image * &image)?.to_dtype(DType::F64)?.sum_all()? / logits.scale)?;
    // The one time that the host waits for the loss.
    let scalars = Tensor::stack(&[total, of_scale, of_bias], 0)?.to_vec1::<f64>()?;
    Ok(Loss {
        mkcl: scalars[0] / n_counted,
        slra: 0.0,
        image,
        text,
        local: None,
        logit_scale: scalars[1],
        logit_bias: scalars[2],
    })
}

/// `[rows, D]`: 1 where an image meets its own caption and `is_own` holds for it, else 0; as `like`.
fn own_captions(
    captions: &Captions,
    rows: &Range<usize>,
    n_texts: usize,
    is_own: &dyn Fn(usize) -> bool,
    like: &Tensor,
) -> Result<Tensor> {
    let mut values = vec![0f32; rows.len() * n_texts];
    for (place, sample) in rows.clone().enumerate().filter(|&(_, sample)| is_own(sample)) {
        values[place * n_texts + captions.row(sample, 0)] = 1.0;
    }
    Ok(Tensor::from_vec(values, (rows.len(), n_texts), like.device())?)
}

/// `ln(1 + e^z)`, exact also where it is small.
fn softplus(z: &Tensor) -> Result<Tensor> {
    let u = z.abs()?.neg()?.exp()?;
    // ln(1 + u): of small u, its first three terms, since 1 + u would lose their digits.
    let series = (&u * ((&u * ((&u / 3.0)? - 0.5)?)? + 1.0)?)?;
    let logarithm = (&u + 1.0)?.log()?;
    let rest = u.lt(0.01)?.where_cond(&series, &logarithm)?;
    Ok((z.relu()? + rest)?)
}

/// `1 / (1 + e^-z)`, without an overflow.
fn sigmoid(z: &Tensor) -> Result<Tensor> {
    let u = z.abs()?.neg()?.exp()?;
    let of_positive = (&u + 1.0)?.recip()?;
    Ok(z.ge(0.0)?.where_cond(&of_positive, &(&u * &of_positive)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    const LOGITS: PairLogits = PairLogits { scale: 5.0, bias: -2.0 };

    fn unit_rows(n: usize, seed: f32) -> Tensor {
        let values: Vec<f32> = (0..n * 4).map(|at| (seed * (at as f32 + 1.0)).sin()).collect();
        let rows = Tensor::from_vec(values, (n, 4), &Device::Cpu).unwrap();
        rows.broadcast_div(&rows.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap()).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn one_pair_by_hand() {
        let one = Tensor::new(&[[1f32, 0.0]], &Device::Cpu).unwrap();
        let features = Features { image: one.clone(), text: one, local: None };
        let (captions, _) = Captions::distinct(&["a"], vec![true], 1);
        let found = loss(&features, &captions, LOGITS, true, &(0..1)).unwrap();
        // z = 5 - 2: the loss is ln(1 + e^-3), and its derivative by z is -1 / (1 + e^3).
        let slope = -1.0 / (1.0 + 3f64.exp());
        assert!((found.mkcl - (-3f64).exp().ln_1p()).abs() < 1e-7);
        assert!((found.logit_bias - slope).abs() < 1e-7 && (found.logit_scale - slope).abs() < 1e-7);
    }

    #[test]
    fn a_repeated_caption_counts_as_often_as_it_occurs() {
        let (images, texts) = (unit_rows(4, 1.3), unit_rows(3, 0.7));
        let mask = vec![true, true, false, true];
        let (captions, _) = Captions::distinct(&["a", "b", "a", "c"], mask.clone(), 1);
        let rows = Tensor::new(&[0u32, 1, 0, 2], &Device::Cpu).unwrap();
        let written_out = texts.index_select(&rows, 0).unwrap();
        for with_masked in [true, false] {
            let few = Features { image: images.clone(), text: texts.clone(), local: None };
            let all = Features { image: images.clone(), text: written_out.clone(), local: None };
            let ours = loss(&few, &captions, LOGITS, with_masked, &(0..4)).unwrap();
            let expected =
                loss(&all, &Captions::all_distinct(mask.clone(), 1), LOGITS, with_masked, &(0..4)).unwrap();
            assert!((ours.mkcl - expected.mkcl).abs() < 1e-6);
            let near =
                |ours: &[f32], expected: &[f32]| ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(near(&values(&ours.image), &values(&expected.image)));
            let joined = expected.text.zeros_like().unwrap().narrow(0, 0, 3).unwrap().contiguous().unwrap();
            let joined = joined.index_add(&rows, &expected.text, 0).unwrap();
            assert!(near(&values(&ours.text), &values(&joined)));
        }
    }

    #[test]
    fn large_and_small_logits_keep_their_digits() {
        let z = Tensor::new(&[-90f32, -10.0, -4.0, 0.0, 3.0, 90.0], &Device::Cpu).unwrap();
        for (ours, z) in values(&softplus(&z).unwrap()).into_iter().zip(values(&z)) {
            let expected =
                if z > 0.0 { f64::from(z) + f64::from(-z).exp().ln_1p() } else { f64::from(z).exp().ln_1p() };
            assert!((f64::from(ours) - expected).abs() <= 1e-5 * expected, "{z}: {ours}, {expected}");
        }
        assert_eq!(values(&sigmoid(&z).unwrap())[3..], [0.5, 1.0 / (1.0 + (-3f32).exp()), 1.0]);
    }
}
