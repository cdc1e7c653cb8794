//! `--device` and `--dtype`.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

#[cfg(feature = "cuda")]
pub mod cuda;
mod requirements;

#[cfg(feature = "cuda")]
use anyhow::Context;
use anyhow::{Result, bail};
use candle_core::{DType, Device};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared_model::weights::Placement;
use std::fmt;
use std::str::FromStr;

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    Cpu,
    /// An NVIDIA GPU.
    Cuda(usize),
    /// A GPU through Vulkan, Metal or DirectX 12, for int8 models.
    Wgpu(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("expected cpu, cuda, cuda:N, wgpu or wgpu:N, found {text}");
        let name = text.to_ascii_lowercase();
        let (kind, index) = name.split_once(':').unwrap_or((&name, "0"));
        match kind {
            "cpu" if name == "cpu" => Ok(Self::Cpu),
            "cuda" => index.parse().map(Self::Cuda).map_err(|_| unknown()),
            "wgpu" => index.parse().map(Self::Wgpu).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Wgpu(index) => write!(f, "wgpu:{index}"),
        }
    }
}

/// Precision of dense weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    #[default]
    F32,
    Bf16,
    F16,
}

impl Precision {
    pub const NAMES: [&str; 3] = ["f32", "bf16", "f16"];
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            "f16" => Ok(Self::F16),
            _ => Err(format!("expected f32, bf16 or f16, found {text}")),
        }
    }
}

/// Opens a device for candle's tensors.
///
/// # Errors
/// When a GPU cannot be used, and for [`DeviceChoice::Wgpu`], which only runs the towers of int8 models.
pub fn placement(device: DeviceChoice, precision: Precision) -> Result<Placement> {
    let dtype = match precision {
        Precision::F32 => DType::F32,
        Precision::Bf16 => DType::BF16,
        Precision::F16 => DType::F16,
    };
    let device = match device {
        DeviceChoice::Cpu => Device::Cpu,
        DeviceChoice::Cuda(index) => open_gpu(index)?,
        DeviceChoice::Wgpu(_) => bail!("wgpu answers with int8 models only; use cpu or cuda here"),
    };
    Ok(Placement { device, dtype })
}

#[cfg(feature = "cuda")]
fn open_gpu(index: usize) -> Result<Device> {
    use crate::cuda;
    if let Some(missing) = cuda::missing_library() {
        bail!("cannot use CUDA: {missing}");
    }
    // A library of another version may lack a function, which panics inside candle's CUDA layer.
    let opened = std::panic::catch_unwind(|| -> Result<Device> {
        cuda::check(index)?;
        Ok(cuda::open(index)?)
    });
    let unusable = "the CUDA driver or a library is unusable";
    opened.ok().context(unusable)?.with_context(|| format!("cannot use CUDA device {index}"))
}

#[cfg(not(feature = "cuda"))]
fn open_gpu(_index: usize) -> Result<Device> {
    bail!("this dermake was built without CUDA; build it with `just build-cuda`")
}

/// Whether an error, written out with its causes, says that a device's memory is full.
pub fn lacks_memory(error: &str) -> bool {
    let error = error.to_lowercase();
    error.contains("out of memory") || error.contains("out_of_memory")
}

/// Describes a device for a report.
///
/// # Errors
/// If the driver does not answer.
pub fn describe(device: &Device) -> Result<serde_json::Value> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = device {
        return crate::cuda::describe(device);
    }
    let _ = device;
    Ok(serde_json::json!({"name": "CPU", "threads": rayon::current_num_threads()}))
}

/// Bytes of a GPU's memory that are taken, by this program and others; None for the CPU.
///
/// # Errors
/// If the driver does not answer.
pub fn used_bytes(device: &Device) -> Result<Option<u64>> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = device {
        let (free, total) = device.cuda_stream().context().mem_get_info()?;
        return Ok(Some((total - free) as u64));
    }
    let _ = device;
    Ok(None)
}

/// Memory that activations may use: on the CPU, half of what is available, since the rest of a run needs some too; on a
/// GPU, nine tenths of what is free, since a block needs some beside that.
pub fn free_bytes(device: &Device) -> u64 {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = device {
        return crate::cuda::free_bytes(device).map_or(0, |bytes| bytes / 10 * 9);
    }
    let _ = device;
    let memory = sysinfo::MemoryRefreshKind::nothing().with_ram();
    let system = sysinfo::System::new_with_specifics(sysinfo::RefreshKind::nothing().with_memory(memory));
    let of_container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    of_container.min(system.available_memory()) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_are_parsed_in_any_case() {
        let all = [Ok(Precision::F32), Ok(Precision::Bf16), Ok(Precision::F16)];
        assert_eq!(Precision::NAMES.map(|name| name.parse()), all);
        assert_eq!("BF16".parse(), Ok(Precision::Bf16));
        assert!("f64".parse::<Precision>().unwrap_err().contains(&Precision::NAMES[1..].join(" or ")));
    }

    #[test]
    fn full_memory_is_known_by_the_words_of_the_driver_and_of_its_libraries() {
        assert!(lacks_memory("no memory on the GPU: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")"));
        assert!(lacks_memory("Out of memory") && !lacks_memory("shape mismatch"));
    }

    #[test]
    fn devices_are_parsed() {
        assert_eq!("cpu".parse(), Ok(DeviceChoice::Cpu));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        assert_eq!(("CPU".parse(), "CUDA:1".parse()), (Ok(DeviceChoice::Cpu), Ok(DeviceChoice::Cuda(1))));
        assert_eq!(("wgpu".parse(), "WGPU:2".parse()), (Ok(DeviceChoice::Wgpu(0)), Ok(DeviceChoice::Wgpu(2))));
        for device in [DeviceChoice::Cpu, DeviceChoice::Cuda(0), DeviceChoice::Wgpu(3)] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        for bad in ["", "gpu", "cuda:", "cuda:x", "cpu:1", "cpu:0", "wgpu:", "wgpu:-1"] {
            assert!(bad.parse::<DeviceChoice>().is_err(), "{bad}");
        }
    }
}
