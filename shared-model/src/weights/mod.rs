//! Checkpoints as named tensors, still in their bytes.
//!
//! Nothing is converted before a tower asks for it, so a memory-mapped file costs no memory of its own, and the
//! dense and the quantised forms of a weight live side by side under one logical name: `x.weight` may be stored
//! as `x.weight` (float), `x.weight.q8_0` or `x.weight.q4_0` (GGML blocks), `x.weight.int8` with
//! `x.weight.int8_scale` (see [`crate::quantize`]), or `x.weight.int4` with `x.weight.int4_scale`.

mod pickle;
mod positions;
mod stored;

use crate::config::Parameter;
use crate::error::{MismatchReport, Misshapen};
use crate::quantize::WeightFormat;
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use std::collections::{BTreeMap, HashMap};
pub use stored::StoredTensor;

/// Where a model's tensors go and in which precision its dense part computes.
#[derive(Clone, Debug)]
pub struct Placement {
    pub device: Device,
    /// f32 or bf16. Quantised weights always meet f32 activations.
    pub dtype: DType,
}

impl Default for Placement {
    fn default() -> Self {
        Self { device: Device::Cpu, dtype: DType::F32 }
    }
}

/// The tensors of one or more checkpoint files by open_clip key.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    tensors: BTreeMap<String, StoredTensor>,
    /// Tensors that are in use already, such as a trainer's variables.
    live: BTreeMap<String, Tensor>,
    metadata: HashMap<String, String>,
}

/// Entries of OpenAI's and of old open_clip's files that are no parameters.
const NOT_PARAMETERS: [&str; 4] = ["input_resolution", "context_length", "vocab_size", "attn_mask"];

impl Weights {
    /// Reads a safetensors file, dense or quantised.
    ///
    /// # Errors
    /// [`Error::Safetensors`] when the header does not describe the bytes.
    pub fn from_safetensors(bytes: Bytes) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(&bytes)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let views = SafeTensors::deserialize(&bytes)?;
        let named = views.iter().map(|(name, view)| {
            let stored = StoredTensor::new(view.dtype(), view.shape(), bytes.slice_ref(view.data()));
            (name.to_string(), stored)
        });
        Ok(Self { tensors: with_open_clip_keys(named), metadata, ..Self::default() })
    }

    /// Reads PyTorch's zip format: a state dict, or a training checkpoint that has one under `state_dict`.
    ///
    /// # Errors
    /// [`Error::Weights`] when the archive or its pickle is not of that form. Nothing in the pickle is executed.
    pub fn from_pickle(bytes: Bytes) -> Result<Self> {
        let tensors = with_open_clip_keys(pickle::read(bytes)?);
        Ok(Self { tensors, ..Self::default() })
    }

    /// Takes float tensors as they are; for models that were made, not read.
    pub fn from_tensors(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Result<Self> {
        let stored = tensors.into_iter().map(|(name, tensor)| Ok((name, StoredTensor::from_tensor(&tensor)?)));
        Ok(Self { tensors: stored.collect::<Result<_>>()?, ..Self::default() })
    }

    /// Takes tensors in their bytes.
    pub fn from_stored(tensors: impl IntoIterator<Item = (String, StoredTensor)>) -> Self {
        Self { tensors: tensors.into_iter().collect(), ..Self::default() }
    }

    /// Shares tensors instead of copying them: a tower built from these sees every change of theirs, and gradients
    /// flow to those that are variables. They keep their own device and dtype, whatever a placement says.
    pub fn from_live(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        Self { live: tensors.into_iter().collect(), ..Self::default() }
    }

    /// Adds the tensors of another file, such as the other tower's.
    pub fn merge(&mut self, other: Weights) {
        self.tensors.extend(other.tensors);
        self.live.extend(other.live);
        self.metadata.extend(other.metadata);
    }

    /// The safetensors `__metadata__` entry of this name.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// Compares names and shapes with what a config asks for, all of it before anything is reported.
    ///
    /// `required` must be here; `tolerated` may be (the other tower, in a file that has both).
    ///
    /// # Errors
    /// [`Error::CheckpointMismatch`] listing every missing, unexpected and misshapen tensor.
    pub fn check(&self, required: &[Parameter], tolerated: &[Parameter]) -> Result<()> {
        let mut found = self.logical_shapes();
        let mut report = MismatchReport::default();
        for Parameter { name, shape } in required {
            match found.remove(name.as_str()) {
                None => report.missing.push(name.clone()),
                Some(found) if found != *shape => {
                    report.misshapen.push(Misshapen { name: name.clone(), expected: shape.clone(), found });
                }
                Some(_) => {}
            }
        }
        for parameter in tolerated {
            found.remove(parameter.name.as_str());
        }
        report.unexpected = found.into_keys().map(String::from).collect();
        if report.is_empty() { Ok(()) } else { Err(Error::CheckpointMismatch(Box::new(report))) }
    }

    /// Logical name to logical shape, whatever the stored form.
    fn logical_shapes(&self) -> BTreeMap<&str, Vec<usize>> {
        let live = self.live.iter().map(|(name, tensor)| (name.as_str(), tensor.dims().to_vec()));
        let mut shapes: BTreeMap<&str, Vec<usize>> = live.collect();
        for (name, stored) in &self.tensors {
            if WeightFormat::is_scale(name) {
                continue;
            }
            match WeightFormat::split_suffix(name) {
                Some((logical, format)) => shapes.insert(logical, format.logical_shape(&stored.shape)),
                None => shapes.insert(name.as_str(), stored.shape.clone()),
            };
        }
        shapes
    }

    /// The stored tensor of exactly this name.
    ///
    /// # Errors
    /// [`Error::Weights`] naming it when it is absent; [`Self::check`] reports all absences at once.
    pub fn stored(&self, name: &str) -> Result<&StoredTensor> {
        self.tensors.get(name).ok_or_else(|| Error::Weights { detail: format!("tensor {name} is missing") })
    }

    /// The format and stored tensor of a logical weight when it is quantised.
    pub(crate) fn quantized(&self, name: &str) -> Option<(WeightFormat, &StoredTensor)> {
        WeightFormat::ALL.into_iter().find_map(|format| {
            let stored = self.tensors.get(&format!("{name}{}", format.suffix()))?;
            Some((format, stored))
        })
    }

    /// A dense float tensor in the placement's dtype and device.
    pub fn tensor(&self, name: &str, placement: &Placement) -> Result<Tensor> {
        if let Some(live) = self.live.get(name) {
            return Ok(live.clone());
        }
        Ok(self.stored(name)?.to_tensor(name)?.to_dtype(placement.dtype)?.to_device(&placement.device)?)
    }
}

/// Strips what wrappers put before open_clip's keys: `module.` (data parallel) and `text.` (custom text class).
fn with_open_clip_keys(named: impl IntoIterator<Item = (String, StoredTensor)>) -> BTreeMap<String, StoredTensor> {
    let open_clip_key = |name: &str| {
        let name = name.strip_prefix("module.").unwrap_or(name);
        name.strip_prefix("text.").unwrap_or(name).to_string()
    };
    named
        .into_iter()
        .map(|(name, stored)| (open_clip_key(&name), stored))
        .filter(|(name, _)| !NOT_PARAMETERS.contains(&name.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(names: &[(&str, &[usize])]) -> Weights {
        let zeros = |(name, shape): &(&str, &[usize])| {
            (name.to_string(), Tensor::zeros(*shape, DType::F32, &Device::Cpu).unwrap())
        };
        Weights::from_tensors(names.iter().map(zeros)).unwrap()
    }

    fn parameter(name: &str, shape: &[usize]) -> Parameter {
        Parameter { name: name.into(), shape: shape.to_vec() }
    }

    #[test]
    fn every_disagreement_is_in_one_error() {
        let checkpoint = weights(&[("a", &[2, 3]), ("b", &[4]), ("stranger", &[1])]);
        let required = [parameter("a", &[3, 2]), parameter("b", &[4]), parameter("c", &[1]), parameter("d", &[1])];
        let Err(Error::CheckpointMismatch(report)) = checkpoint.check(&required, &[]) else { panic!() };
        assert_eq!(report.missing, ["c", "d"]);
        assert_eq!(report.unexpected, ["stranger"]);
        assert_eq!((&report.misshapen[0].expected, &report.misshapen[0].found), (&vec![3, 2], &vec![2, 3]));
        let text = Error::CheckpointMismatch(report).to_string();
        assert!(text.contains("a is [2, 3], expected [3, 2]"), "{text}");
    }

    #[test]
    fn wrappers_prefixes_are_stripped() {
        let stored = StoredTensor::from_tensor(&Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap()).unwrap();
        let names = ["module.visual.proj", "module.text.ln_final.weight", "text_projection", "input_resolution"];
        let tensors = with_open_clip_keys(names.map(|name| (name.to_string(), stored.clone())));
        assert_eq!(tensors.into_keys().collect::<Vec<_>>(), ["ln_final.weight", "text_projection", "visual.proj"]);
    }
}
