//! `dermake gpu-check`: checks training on a device and times it.
//!
//! Short phases run first. Each writes its result to the JSON file at once, so that an interrupted check keeps its
//! results.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod check;
mod comparisons;
mod gradients;
mod inference;
mod inputs;
#[cfg(feature = "cuda")]
mod kernels;
mod options;
mod pytorch;
mod report;
mod speed;
mod training;

use anyhow::{Context, Result};
use check::Check;
use dermake_process::interrupt::discard_on_request;
pub use options::{GpuCheckOptions, PHASES};
use shared_model::config::ClipConfig;

#[cfg(not(feature = "cuda"))]
mod kernels {
    use super::report::NotHere;
    use anyhow::{Result, bail};
    use candle_core::Device;
    use serde_json::Value;
    use shared_model::config::ClipConfig;

    pub fn check(_device: &Device, _config: &ClipConfig, _seed: u64) -> Result<Value> {
        bail!(NotHere("this dermake was built without CUDA".into()))
    }
}

/// Runs all phases; returns whether all that the device has were run and passed.
///
/// # Errors
/// When the device cannot be opened, or the file cannot be written; when the process lost the device, and no new one can
/// go on.
pub fn run(options: &GpuCheckOptions) -> Result<bool> {
    let mut check = Check::begin(options)?;
    let (is_small, seed) = (options.is_small, options.seed);
    let config = if is_small { gradients::small_config()? } else { ClipConfig::named("ViT-B-16-quickgelu")? };
    check.phase("device", dermake_device::describe)?;
    check.phase("kernels", |device| kernels::check(device, &config, seed))?;
    check.phase("gradients", |device| gradients::check(device, seed))?;
    let timed = (!is_small).then_some(&config);
    check.phase("inference", |device| inference::check(device, seed, timed))?;
    let mut best = None;
    check.phase("ceilings", |device| {
        let (ceilings, figures) = speed::ceilings(device, is_small)?;
        best = Some(ceilings);
        Ok(figures)
    })?;
    let n_images = if is_small { 4 } else { 128 };
    check.phase("operations", |device| {
        // Without the phase before, what operations are compared with is measured here.
        let best = best.map_or_else(|| Ok(speed::ceilings(device, is_small)?.0), Ok::<_, anyhow::Error>)?;
        speed::operations(device, &config, n_images, best)
    })?;
    check
        .phase("pytorch", |device| pytorch::compare(device, options.device, &options.python, &config, n_images))?;
    for (name, n_samples) in [("step of 512", 512), ("step of 2048", 2048)] {
        let n_samples = if is_small { n_samples / 64 } else { n_samples };
        check.phase_of("steps", name, |device| speed::steps(device, &config, n_samples, 4))?;
    }
    let full = training::Run { n_pictures: 1024, batch_size: 256, n_steps: 30, is_full_size: true };
    let small = training::Run { n_pictures: 48, batch_size: 16, n_steps: 12, is_full_size: false };
    let size = if is_small { small } else { full };
    check.phase("training", |_| {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let unfinished = discard_on_request(vec![folder.path().into()])?;
        let checked = training::check(options.device, folder.path(), size);
        drop(folder); // while a stop request would remove it
        drop(unfinished);
        checked
    })?;
    check.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_device::DeviceChoice;
    use serde_json::Value;
    use std::time::Duration;

    #[test]
    fn all_phases_run_on_the_cpu_and_are_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("gpu.json");
        let options = GpuCheckOptions {
            device: DeviceChoice::Cpu,
            out: out.clone(),
            limit: Duration::from_secs(600),
            phases: Vec::new(),
            seed: 3,
            python: "/nonexistent/python".into(),
            is_small: true,
            new_process: |_| unreachable!("the CPU is not lost"),
        };
        assert!(run(&options).unwrap());
        let report: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        let phases = report["phases"].as_array().unwrap();
        assert_eq!(phases.len(), 10);
        for phase in phases {
            let is_not_here = phase["name"] == "kernels" || phase["name"] == "pytorch";
            let expected = if is_not_here { "not_run" } else { "passed" };
            assert_eq!(phase["result"], expected, "{phase}");
        }
        assert!(!run(&GpuCheckOptions { limit: Duration::ZERO, ..options.clone() }).unwrap());
        let report: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        assert!(
            report["phases"].as_array().unwrap().iter().all(|phase| phase["result"] == "out_of_time"),
            "{report}"
        );
        run(&GpuCheckOptions { phases: vec!["device".into(), "operations".into()], ..options }).unwrap();
        let report: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        let names: Vec<&str> =
            report["phases"].as_array().unwrap().iter().map(|phase| phase["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["device", "operations"]);
        assert_eq!(report["phases"][1]["result"], "passed");
    }
}
