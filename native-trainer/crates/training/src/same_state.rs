//! Parameters and moments are the same on all ranks: sent by the first at the start, and compared before they are saved.

use super::model::TrainedModel;
use super::optimizer::AdamW;
use super::ranks::Ranks;
use anyhow::{Result, bail};
use candle_core::{CpuStorage, Device, Storage, Tensor};
use rayon::prelude::*;

/// Gives all ranks what the optimizer changes as the first has it, and its moments where `with_moments`.
///
/// # Errors
/// When a rank failed, or has other values of what is not changed.
pub fn of_first(ranks: &Ranks, model: &TrainedModel, optimizer: &mut AdamW, with_moments: bool) -> Result<()> {
    if ranks.is_alone() {
        return Ok(());
    }
    let (trained, _) = model.trained();
    trained.slice_set(&ranks.of_first(trained)?, 0, 0)?;
    match model.adapters() {
        Some(_) => model.follow_update()?,
        None => model.refresh()?,
    }
    if with_moments {
        let [first, second] = optimizer.moments();
        let moments = [ranks.of_first(first)?, ranks.of_first(second)?];
        let steps = optimizer.steps();
        optimizer.set_moments(moments, ranks.on_first(|| Ok(steps))?);
    }
    check(ranks, model)
}

/// Checks that all ranks have the same parameters.
///
/// # Errors
/// Names the ranks that have others.
pub fn check(ranks: &Ranks, model: &TrainedModel) -> Result<()> {
    if ranks.is_alone() {
        return Ok(());
    }
    let checksums = ranks.together(checksum(model.flat_parameters()))?;
    let others: Vec<String> =
        (0..ranks.size()).filter(|&rank| checksums[rank] != checksums[0]).map(|rank| rank.to_string()).collect();
    if !others.is_empty() {
        bail!(
            "the parameters of rank {} are not those of rank 0, and nothing was saved: a machine computes wrongly, the \
             ranks have different processors or GPUs, or another file as model.from",
            others.join(", ")
        );
    }
    Ok(())
}

/// A number that differs where a bit differs.
fn checksum(flat: &Tensor) -> Result<u64> {
    const VALUES_PER_TASK: usize = 1 << 16;
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let flat = flat.to_device(&Device::Cpu)?;
    let (storage, _) = flat.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(values)) = &*storage else { bail!("expected parameters in f32") };
    let add = |sum: u64, number: u64| (sum ^ number).wrapping_mul(FACTOR).rotate_left(23);
    let of_part = |values: &[f32]| values.iter().fold(0, |sum, value| add(sum, value.to_bits().into()));
    let parts: Vec<u64> = values.par_chunks(VALUES_PER_TASK).map(of_part).collect();
    Ok(parts.into_iter().fold(0, add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_other_bit_changes_the_checksum() {
        let mut values: Vec<f32> = (0..200_000).map(|i| i as f32).collect();
        let of = |values: &[f32]| checksum(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap();
        let before = of(&values);
        assert_eq!(of(&values), before);
        values[150_001] = f32::from_bits(values[150_001].to_bits() ^ 1);
        assert_ne!(of(&values), before);
        values[150_001] = f32::from_bits(values[150_001].to_bits() ^ 1);
        values.swap(3, 4);
        assert_ne!(of(&values), before);
    }
}
