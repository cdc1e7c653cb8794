//! A check under way: its phases run one after the other, whatever goes wrong in one of them.

use super::options::{GpuCheckOptions, PHASES};
use super::report::{NotHere, Outcome, Phase, Report, Wrong};
use anyhow::{Context, Error, Result, anyhow, ensure};
use candle_core::Device;
use dermake_device::Precision;
use dermake_process::interrupt::discard_on_request;
use dermake_process::print;
use serde_json::Value;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// A check under way.
pub struct Check<'a> {
    device: Device,
    started: Instant,
    report: Report,
    options: &'a GpuCheckOptions,
    /// The phase after which this process cannot use the device any more.
    lost_in: Option<&'static str>,
}

impl<'a> Check<'a> {
    /// # Errors
    /// When the device cannot be opened, or the file cannot be written.
    pub fn begin(options: &'a GpuCheckOptions) -> Result<Self> {
        Ok(Self {
            device: dermake_device::placement(options.device, Precision::F32)?.device,
            started: Instant::now(),
            report: Report::create(&options.out)?,
            options,
            lost_in: None,
        })
    }

    /// Runs one phase; see [`Self::phase_of`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn phase(&mut self, name: &'static str, run: impl FnOnce(&Device) -> Result<Value>) -> Result<()> {
        self.phase_of(name, name, run)
    }

    /// Runs one phase of a choice, unless the time is over or the phases to run are others, and writes what it found.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn phase_of(
        &mut self,
        choice: &'static str,
        name: &str,
        run: impl FnOnce(&Device) -> Result<Value>,
    ) -> Result<()> {
        if self.lost_in.is_some() || !self.options.has(choice) {
            return Ok(());
        }
        let started = Instant::now();
        let (outcome, figures) = if self.started.elapsed() >= self.options.limit {
            (Outcome::OutOfTime, Value::Null)
        } else {
            outcome_of(caught(|| run(&self.device)))
        };
        if matches!(outcome, Outcome::Failed { .. }) && !answers(&self.device) {
            self.lost_in = Some(choice);
        }
        let secs = started.elapsed().as_secs_f64();
        let line = match &outcome {
            Outcome::Passed => format!("{name}: passed in {secs:.1} s"),
            Outcome::Failed { why } => format!("{name}: FAILED: {why}"),
            Outcome::NotRun { why } => format!("{name}: not run: {why}"),
            Outcome::OutOfTime => format!("{name}: not run: {} seconds were over", self.options.limit.as_secs()),
        };
        self.report.add(Phase { name: name.into(), outcome, secs, figures })?;
        print::answer(&format!("{line}\n"))
    }

    /// Returns whether every phase of this device was run and passed. Phases behind one that lost the device are run
    /// in a new process first.
    ///
    /// # Errors
    /// When the new process cannot be started, or ends without a report.
    pub fn finish(mut self) -> Result<bool> {
        if let Some(lost_in) = self.lost_in {
            let later = PHASES.into_iter().skip_while(|phase| *phase != lost_in).skip(1);
            let left: Vec<String> = later.filter(|phase| self.options.has(phase)).map(str::to_string).collect();
            if !left.is_empty() {
                self.go_on(left)?;
            }
        }
        Ok(self.report.is_good())
    }

    fn go_on(&mut self, phases: Vec<String>) -> Result<()> {
        let left = phases.join(", ");
        print::answer(&format!(
            "this process cannot use the device any more; a new one runs what is left: {left}\n"
        ))?;
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let unfinished = discard_on_request(vec![folder.path().into()])?;
        let limit = self.options.limit.saturating_sub(self.started.elapsed());
        let options =
            GpuCheckOptions { out: folder.path().join("gpu.json"), limit, phases, ..self.options.clone() };
        let status = (options.new_process)(&options).and_then(|mut command| command.status());
        let status = status.with_context(|| format!("cannot start a new process for {left}"))?;
        for phase in Report::phases_in(&options.out)? {
            self.report.add(phase)?;
        }
        drop(folder); // while a stop request would remove it
        drop(unfinished);
        // 1: a phase failed, as the report says.
        ensure!(matches!(status.code(), Some(0 | 1)), "the new process for {left} ended with {status}");
        Ok(())
    }
}

/// Whether a device still works. After an error inside of a kernel, such as an illegal address, the driver refuses all
/// that this process asks for.
pub fn answers(device: &Device) -> bool {
    // What went wrong while buffers were freed is told once.
    device.synchronize().is_ok() || device.synchronize().is_ok()
}

/// A panic as an error.
fn caught(run: impl FnOnce() -> Result<Value>) -> Result<Value> {
    let text = |panic: Box<dyn Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().map_or_else(|_| "no text".into(), |text| text.to_string()),
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(anyhow!("a panic: {}", text(panic))))
}

fn outcome_of(found: Result<Value>) -> (Outcome, Value) {
    let err: Error = match found {
        Ok(figures) => return (Outcome::Passed, figures),
        Err(err) => err,
    };
    if err.is::<NotHere>() {
        return (Outcome::NotRun { why: err.to_string() }, Value::Null);
    }
    match err.downcast::<Wrong>() {
        Ok(Wrong { why, figures }) => (Outcome::Failed { why }, figures),
        Err(err) => (Outcome::Failed { why: format!("{err:#}") }, Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_device::DeviceChoice;
    use serde_json::json;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    fn options(folder: &Path) -> GpuCheckOptions {
        GpuCheckOptions {
            device: DeviceChoice::Cpu,
            out: folder.join("gpu.json"),
            limit: Duration::from_secs(600),
            phases: Vec::new(),
            seed: 3,
            python: "/nonexistent/python".into(),
            is_small: true,
            new_process: |_| unreachable!("the CPU is not lost"),
        }
    }

    fn phases(options: &GpuCheckOptions) -> Vec<Value> {
        let report: Value = serde_json::from_slice(&std::fs::read(&options.out).unwrap()).unwrap();
        report["phases"].as_array().unwrap().clone()
    }

    #[test]
    fn a_phase_that_panics_or_fails_does_not_end_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let mut check = Check::begin(&options).unwrap();
        check.phase("device", |_| panic!("a test of what a panic does")).unwrap();
        let wrong = || Wrong { why: "two differ".into(), figures: json!([1, 2]) };
        check.phase("kernels", |_| Err(wrong().into())).unwrap();
        check.phase("gradients", |_| Err(anyhow!("the cause").context("no memory"))).unwrap();
        check.phase("inference", |_| Ok(json!("fast"))).unwrap();
        assert!(!check.finish().unwrap());
        let phases = phases(&options);
        let results: Vec<_> =
            phases.iter().map(|phase| (&phase["result"], &phase["why"], &phase["figures"])).collect();
        let (failed, none) = (json!("failed"), Value::Null);
        assert_eq!(results[0], (&failed, &json!("a panic: a test of what a panic does"), &none));
        assert_eq!(results[1], (&failed, &json!("two differ"), &json!([1, 2])));
        assert_eq!(results[2], (&failed, &json!("no memory: the cause"), &none));
        assert_eq!(results[3], (&json!("passed"), &none, &json!("fast")));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_left_when_the_device_is_lost_is_run_in_a_new_process() {
        let folder = tempfile::tempdir().unwrap();
        let phases_to_run = ["gradients", "steps", "training"].map(str::to_string).to_vec();
        let new_process = |options: &GpuCheckOptions| -> std::io::Result<Command> {
            assert_eq!(options.phases, ["steps", "training"]);
            let report = json!({"version": "0", "phases": [
                {"name": "step of 512", "result": "passed", "secs": 1.5, "figures": {"samples": 512}},
                {"name": "training", "result": "failed", "why": "it rose", "secs": 2.0, "figures": null},
            ]});
            std::fs::write(&options.out, report.to_string())?;
            Ok(Command::new("false")) // exit code 1
        };
        let options = GpuCheckOptions { phases: phases_to_run, new_process, ..options(folder.path()) };
        let mut check = Check::begin(&options).unwrap();
        check.phase("gradients", |_| anyhow::bail!("an illegal address")).unwrap();
        check.lost_in = Some("gradients");
        check.phase_of("steps", "step of 512", |_| unreachable!("the device is lost")).unwrap();
        assert!(!check.finish().unwrap());
        let phases = phases(&options);
        let names: Vec<_> = phases.iter().map(|phase| phase["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["gradients", "step of 512", "training"]);
        assert_eq!((&phases[1]["figures"]["samples"], &phases[2]["why"]), (&json!(512), &json!("it rose")));

        // A process that does not report.
        let options = GpuCheckOptions { new_process: |_| Ok(Command::new("/nonexistent/dermake")), ..options };
        let mut check = Check::begin(&options).unwrap();
        check.lost_in = Some("gradients");
        assert!(check.finish().unwrap_err().to_string().contains("for steps, training"));
    }
}
