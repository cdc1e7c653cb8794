//! Chooses a GPU of the machine.

use crate::{Error, Result};
use wgpu::{Adapter, AdapterInfo, Backends, DeviceType, Instance, InstanceDescriptor};

/// Returns the GPUs of this machine, the fastest kind first: with their own memory, integrated, virtual. What runs on the
/// CPU, such as Mesa's lavapipe, comes last.
pub(crate) fn adapters() -> Vec<Adapter> {
    let backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let instance =
        Instance::new(InstanceDescriptor { backends, ..InstanceDescriptor::new_without_display_handle() });
    let mut adapters = pollster::block_on(instance.enumerate_adapters(backends));
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    adapters
}

fn rank(kind: DeviceType) -> usize {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// Returns the GPU of this number.
///
/// # Errors
/// [`Error::NoAdapter`] and [`Error::NoSuchAdapter`].
pub(crate) fn choose(mut adapters: Vec<Adapter>, index: usize) -> Result<Adapter> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter);
    }
    if index >= adapters.len() {
        let found = adapters.iter().enumerate().map(|(at, adapter)| {
            let name = name(&adapter.get_info());
            format!("wgpu:{at} ({name})")
        });
        return Err(Error::NoSuchAdapter { index, found: found.collect() });
    }
    Ok(adapters.swap_remove(index))
}

/// Returns a GPU's name and the interface to it.
pub(crate) fn name(info: &AdapterInfo) -> String {
    format!("{}, {}", info.name, info.backend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_gpu_is_told_what_is_missing() {
        let message = choose(Vec::new(), 0).unwrap_err().to_string();
        assert!(message.contains("no GPU was found") && message.contains("--device cpu"), "{message}");
    }

    #[test]
    fn a_gpu_that_is_not_there_is_answered_with_those_that_are() {
        let message = choose(adapters(), 1000).unwrap_err().to_string();
        assert!(message.contains("no GPU wgpu:1000") && message.contains("wgpu:0 ("), "{message}");
    }
}
