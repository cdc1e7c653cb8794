//! Checkpoints as named tensors, still in their bytes.
//!
//! Nothing is converted before a tower asks for it, so a memory-mapped file costs no memory of its own, and the
//! dense and the quantized forms of a weight live side by side under one logical name: `x.weight` may be stored
//! as `x.weight` (float), `x.weight.q8_0` or `x.weight.q4_0` (GGML blocks), `x.weight.int8` with
//! `x.weight.int8_scale` (see [`crate::quantize`]), or `x.weight.int4` with `x.weight.int4_scale`, in four to six bits.
//! A matrix whose activations have 14 bits in place of seven has its scales as `x.weight.int8_fine` or `int4_fine`. Where
//! columns of activations are divided by powers of two before they are rounded, `x.weight.int8_columns` or `int4_columns`
//! has the exponents.

pub(crate) mod code_bits;
mod dense;
mod derived;
mod families;
mod file;
mod format;
pub(crate) mod int4;
pub(crate) mod int8;
mod key_map;
mod key_rules;
mod keys;
mod likeness;
pub(crate) mod packing;
mod pickle;
mod positions;
pub(crate) mod scale_search;
mod shards;
pub(crate) mod six_bits;
mod stored;
pub(crate) mod table;

use crate::config::Parameter;
use crate::error::{MismatchReport, Misshapen};
pub use crate::foreign::foreign_text;
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::{DType, Device, Tensor};
use derived::Derived;
pub use file::{FileTensors, is_cut_short};
pub(crate) use format::ActivationBits;
pub use format::WeightFormat;
pub use key_map::KeyMap;
pub use shards::ShardIndex;
use std::collections::{BTreeMap, HashMap};
pub use stored::StoredTensor;

/// Where a model's tensors go and in which precision its dense part computes.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The CPU or a CUDA device.
    pub device: Device,
    /// f32, bf16 or f16. Quantized weights always meet f32 activations.
    pub dtype: DType,
}

impl Default for Placement {
    fn default() -> Self {
        Self { device: Device::Cpu, dtype: DType::F32 }
    }
}

/// Largest magnitude of the exponent of a column.
const LARGEST_EXPONENT: i32 = 60;

/// The tensors of one or more checkpoint files by open_clip key.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    tensors: BTreeMap<String, StoredTensor>,
    /// Tensors that are put together of a file's when they are read.
    derived: BTreeMap<String, Derived>,
    /// Tensors that are in use already, such as a trainer's variables.
    live: BTreeMap<String, Tensor>,
    metadata: HashMap<String, String>,
    left_out: Vec<String>,
}

impl From<FileTensors> for Weights {
    fn from(file: FileTensors) -> Self {
        Self::from_files([file])
    }
}

impl Weights {
    /// Reads one file, safetensors or PyTorch's, whatever it is called.
    ///
    /// # Errors
    /// Those of [`FileTensors::read`].
    pub fn read(bytes: Bytes) -> Result<Self> {
        Ok(FileTensors::read(bytes)?.into())
    }

    /// Reads a safetensors file, dense or quantized.
    ///
    /// # Errors
    /// Those of [`FileTensors::from_safetensors`].
    pub fn from_safetensors(bytes: Bytes) -> Result<Self> {
        Ok(FileTensors::from_safetensors(bytes)?.into())
    }

    /// Reads PyTorch's zip format: a state dict, or a training checkpoint that has one somewhere in its dicts.
    ///
    /// # Errors
    /// Those of [`FileTensors::from_pickle`].
    pub fn from_pickle(bytes: Bytes) -> Result<Self> {
        Ok(FileTensors::from_pickle(bytes)?.into())
    }

    /// Joins the files of one checkpoint and finds the model in them.
    pub fn from_files(files: impl IntoIterator<Item = FileTensors>) -> Self {
        let (mut named, mut metadata) = (Vec::new(), HashMap::new());
        for file in files {
            named.extend(file.named);
            metadata.extend(file.metadata);
        }
        let keys::Keyed { tensors, left_out } = keys::open_clip_keys(named);
        Self { tensors, metadata, left_out, ..Self::default() }
    }

    /// Takes tensors in their bytes.
    pub fn from_stored(tensors: impl IntoIterator<Item = (String, StoredTensor)>) -> Self {
        Self { tensors: tensors.into_iter().collect(), ..Self::default() }
    }

    /// Takes tensors without copying them. They keep their own device and dtype, whatever a placement says.
    ///
    /// A tower that is built from these sees every change of those that are variables, and gradients flow to them. Of
    /// other tensors it may keep packed copies.
    pub fn from_live(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        Self { live: tensors.into_iter().collect(), ..Self::default() }
    }

    /// Adds a tensor, or replaces the one of this name.
    ///
    /// # Errors
    /// When its values cannot be copied to the CPU.
    pub fn set(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        self.tensors.insert(name.into(), StoredTensor::from_tensor(tensor)?);
        Ok(())
    }

    /// Names of tensors that lie beside the model in its file and are not its own, such as a copy of it.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
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
        let mut found = self.shapes();
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
        if report.is_empty() {
            return Ok(());
        }
        report.likeness = likeness::describe(&self.shapes(), &report);
        Err(Error::CheckpointMismatch(Box::new(report)))
    }

    /// Logical name to logical shape, whatever the stored form.
    pub fn shapes(&self) -> BTreeMap<&str, Vec<usize>> {
        let live = self.live.iter().map(|(name, tensor)| (name.as_str(), tensor.dims().to_vec()));
        let derived = self.derived.iter().map(|(name, derived)| (name.as_str(), derived.shape.clone()));
        let mut shapes: BTreeMap<&str, Vec<usize>> = live.chain(derived).collect();
        for (name, stored) in &self.tensors {
            if WeightFormat::is_part(name) {
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

    /// The format and stored tensor of a logical weight when it is quantized.
    pub(crate) fn quantized(&self, name: &str) -> Option<(WeightFormat, &StoredTensor)> {
        WeightFormat::ALL.into_iter().find_map(|format| {
            let stored = self.tensors.get(&format!("{name}{}", format.suffix()))?;
            Some((format, stored))
        })
    }

    /// The scales of an int8 or int4 matrix or table, and the bits of its activations.
    ///
    /// # Errors
    /// [`Error::Weights`] naming them when they are absent.
    pub(crate) fn scales(&self, name: &str, format: WeightFormat) -> Result<(&StoredTensor, ActivationBits)> {
        let key = |bits| format!("{name}{}", format.scale_suffix(bits));
        match self.tensors.get(&key(ActivationBits::Fourteen)) {
            Some(scales) => Ok((scales, ActivationBits::Fourteen)),
            None => Ok((self.stored(&key(ActivationBits::Seven))?, ActivationBits::Seven)),
        }
    }

    /// The factors by which the `n_in` columns of activations are multiplied before they are rounded for an int8 or int4
    /// matrix; `None` if all are 1. They are powers of two, whose exponents are stored with the opposite sign.
    ///
    /// # Errors
    /// [`Error::Weights`] when there are not as many exponents.
    pub(crate) fn column_factors(&self, name: &str, format: WeightFormat, n_in: usize) -> Result<Option<Vec<f32>>> {
        let name = format!("{name}{}", format.columns_suffix());
        let Some(stored) = self.tensors.get(&name) else { return Ok(None) };
        if stored.dtype != safetensors::Dtype::I8 || stored.data.len() != n_in {
            let detail = format!("tensor {name} has type {:?} and {} bytes", stored.dtype, stored.data.len());
            return Err(Error::Weights { detail: format!("{detail}, expected {n_in} of I8") });
        }
        let exponents = stored.data.iter().map(|&byte| i32::from(byte as i8));
        if let Some(exponent) = exponents.clone().find(|exponent| exponent.abs() > LARGEST_EXPONENT) {
            let detail = format!(
                "tensor {name} has the exponent {exponent}, expected -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}"
            );
            return Err(Error::Weights { detail });
        }
        Ok(Some(exponents.map(|exponent| 2f32.powi(-exponent)).collect()))
    }

    /// A dense float tensor in the placement's dtype and device.
    pub fn tensor(&self, name: &str, placement: &Placement) -> Result<Tensor> {
        if let Some(live) = self.live.get(name) {
            return Ok(live.clone());
        }
        if let Some(derived) = self.derived.get(name) {
            return Ok(derived.to_tensor()?.to_dtype(placement.dtype)?.to_device(&placement.device)?);
        }
        Ok(self.stored(name)?.to_tensor(name)?.to_dtype(placement.dtype)?.to_device(&placement.device)?)
    }

    /// [`Self::tensor`] of a projection into the joint space, without which all features are zero.
    ///
    /// # Errors
    /// [`Error::AllZero`] when each stored value is zero, and those of [`Self::tensor`].
    pub(crate) fn projection(&self, name: &str, placement: &Placement) -> Result<Tensor> {
        let parts = self.derived.get(name).into_iter().flat_map(|derived| &derived.parts);
        let stored = parts.filter_map(|part| Some(&part.stored.as_ref()?.1)).chain(self.tensors.get(name));
        let mut bytes = stored.flat_map(|stored| stored.data.iter()).peekable();
        if bytes.peek().is_some() && bytes.all(|&byte| byte == 0) {
            return Err(Error::AllZero { name: name.into() });
        }
        self.tensor(name, placement)
    }
}

#[cfg(test)]
mod tests;
