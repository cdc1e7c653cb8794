//! `dermake gpu-check`: checks training on a device and times it.
//!
//! Short phases run first. Each writes its result to the JSON file at once, so that an interrupted check keeps its
//! results.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod gradients;
mod inference;
mod inputs;
mod pytorch;
mod report;
mod speed;
mod training;

use anyhow::{Context, Result, bail};
use candle_core::Device;
use dermake_device::{DeviceChoice, Precision};
use dermake_process::interrupt::discard_on_request;
use dermake_process::print;
use report::{NotHere, Outcome, Phase, Report};
use serde_json::Value;
#[cfg(feature = "cuda")]
use serde_json::json;
use shared_model::config::ClipConfig;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The phases, in order; `steps` is two of them.
pub const PHASES: [&str; 9] =
    ["device", "kernels", "gradients", "inference", "ceilings", "operations", "pytorch", "steps", "training"];

/// Options of the check.
#[derive(Clone, Debug)]
pub struct GpuCheckOptions {
    pub device: DeviceChoice,
    pub out: PathBuf,
    /// No phase begins after this time.
    pub limit: Duration,
    /// The [`PHASES`] to run; empty means all.
    pub phases: Vec<String>,
    pub seed: u64,
    /// The Python whose PyTorch is compared with.
    pub python: String,
    /// Small models and batches, to see that the check itself works.
    pub is_small: bool,
}

/// Runs all phases; returns whether all that the device has were run and passed.
///
/// # Errors
/// When the device cannot be opened, or the file cannot be written.
pub fn run(options: &GpuCheckOptions) -> Result<bool> {
    let mut check = Check {
        device: dermake_device::placement(options.device, Precision::F32)?.device,
        started: Instant::now(),
        report: Report::create(&options.out)?,
        options,
    };
    let (is_small, seed) = (options.is_small, options.seed);
    let config = if is_small { gradients::small_config()? } else { ClipConfig::named("ViT-B-16-quickgelu")? };
    check.phase("device", dermake_device::describe)?;
    check.phase("kernels", |device| kernels(device, &config, seed))?;
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
    Ok(check.report.is_good())
}

/// A check under way.
struct Check<'a> {
    device: Device,
    started: Instant,
    report: Report,
    options: &'a GpuCheckOptions,
}

impl Check<'_> {
    fn phase(&mut self, name: &'static str, run: impl FnOnce(&Device) -> Result<Value>) -> Result<()> {
        self.phase_of(name, name, run)
    }

    /// Runs one phase, unless the time is over or the phases to run are others, and writes what it found.
    fn phase_of(
        &mut self,
        choice: &str,
        name: &'static str,
        run: impl FnOnce(&Device) -> Result<Value>,
    ) -> Result<()> {
        let phases = &self.options.phases;
        if !phases.is_empty() && !phases.iter().any(|phase| phase == choice) {
            return Ok(());
        }
        let started = Instant::now();
        let (outcome, figures) = if self.started.elapsed() >= self.options.limit {
            (Outcome::OutOfTime, Value::Null)
        } else {
            match run(&self.device) {
                Ok(figures) => (Outcome::Passed, figures),
                Err(err) if err.is::<NotHere>() => (Outcome::NotRun { why: err.to_string() }, Value::Null),
                Err(err) => (Outcome::Failed { why: format!("{err:#}") }, Value::Null),
            }
        };
        let secs = started.elapsed().as_secs_f64();
        let line = match &outcome {
            Outcome::Passed => format!("{name}: passed in {secs:.1} s"),
            Outcome::Failed { why } => format!("{name}: FAILED: {why}"),
            Outcome::NotRun { why } => format!("{name}: not run: {why}"),
            Outcome::OutOfTime => format!("{name}: not run: {} seconds were over", self.options.limit.as_secs()),
        };
        self.report.add(Phase { name, outcome, secs, figures })?;
        print::answer(&format!("{line}\n"))
    }
}

/// Compares every operation in bf16, f16 and f32, the optimizer, and both towers with the CPU's.
#[cfg(feature = "cuda")]
fn kernels(device: &Device, config: &ClipConfig, seed: u64) -> Result<Value> {
    use dermake_engine::Rounding;
    use dermake_engine::cuda::check::{compare_adamw, compare_operations, compare_towers, compare_uploads};
    let Device::Cuda(cuda) = device else { bail!(NotHere("the device is the CPU".into())) };
    let small = gradients::small_config()?;
    let mut findings = compare_adamw(cuda, 1_000_003, seed)?;
    findings.extend(compare_uploads(cuda, seed)?);
    for rounding in [Rounding::Bf16, Rounding::F16, Rounding::None] {
        findings.extend(compare_operations(cuda, config, rounding, seed)?);
        findings.extend(compare_towers(cuda, &small, rounding, seed)?);
    }
    let wrong: Vec<_> = findings.iter().filter(|finding| !finding.is_within()).collect();
    if let Some(first) = wrong.first() {
        bail!(
            "{} of {} comparisons differ; {}: {:.2e} where {:.0e} is allowed",
            wrong.len(),
            findings.len(),
            first.name,
            first.error,
            first.tolerance
        );
    }
    let rows = findings.iter().map(|finding| json!({"name": finding.name, "error": finding.error}));
    Ok(Value::Array(rows.collect()))
}

#[cfg(not(feature = "cuda"))]
fn kernels(_device: &Device, _config: &ClipConfig, _seed: u64) -> Result<Value> {
    bail!(NotHere("this dermake was built without CUDA".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
