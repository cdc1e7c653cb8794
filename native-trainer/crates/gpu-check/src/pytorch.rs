//! The speed of the vision tower beside PyTorch's, forward and backward in bf16, where a Python has it.

use super::report::NotHere;
use super::speed::tower_secs;
use anyhow::{Context, Result, bail, ensure};
use candle_core::Device;
use dermake_device::DeviceChoice;
use serde::Deserialize;
use serde_json::{Value, json};
use shared_model::config::ClipConfig;
use std::process::Command;

const SCRIPT: &str = include_str!("torch_speed.py");
/// The script's exit code when PyTorch or the device is not there.
const MISSING: i32 = 3;

/// Times of one side, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Times {
    /// Self-attention of one block.
    attention_ms: f64,
    block_ms: f64,
    /// All blocks, with embedding and projection.
    tower_ms: f64,
}

#[derive(Debug, Deserialize)]
struct TorchTimes {
    version: String,
    #[serde(flatten)]
    times: Times,
}

/// Times both sides on the same sizes.
///
/// # Errors
/// [`NotHere`] without PyTorch; when a side fails.
pub fn compare(
    device: &Device,
    choice: DeviceChoice,
    python: &str,
    config: &ClipConfig,
    n_images: usize,
) -> Result<Value> {
    // First the other program: where there is none, nothing is measured.
    let torch = torch_times(choice, python, config, n_images)?;
    let ours = our_times(device, config, n_images)?;
    let row = |name: &str, ours: f64, torch: f64| json!({"what": name, "ms": ours, "pytorch_ms": torch, "times_as_fast": torch / ours});
    Ok(json!({
        "pytorch": torch.version,
        "images": n_images,
        "images_per_sec": 1e3 * n_images as f64 / ours.tower_ms,
        "pytorch_images_per_sec": 1e3 * n_images as f64 / torch.times.tower_ms,
        "rows": [
            row("attention", ours.attention_ms, torch.times.attention_ms),
            row("block", ours.block_ms, torch.times.block_ms),
            row("vision tower", ours.tower_ms, torch.times.tower_ms),
        ],
    }))
}

fn our_times(device: &Device, config: &ClipConfig, n_images: usize) -> Result<Times> {
    let of_layers = |layers: usize| {
        let mut config = config.clone();
        config.vision.layers = layers;
        tower_secs(device, &config, n_images)
    };
    let (one, three) = (of_layers(1)?, of_layers(3)?);
    let whole = tower_secs(device, config, n_images)?;
    Ok(Times {
        attention_ms: 1e3 * whole.attention / config.vision.layers as f64,
        block_ms: 1e3 * (three.all - one.all) / 2.0,
        tower_ms: 1e3 * whole.all,
    })
}

fn torch_times(choice: DeviceChoice, python: &str, config: &ClipConfig, n_images: usize) -> Result<TorchTimes> {
    let vision = &config.vision;
    ensure!(!matches!(choice, DeviceChoice::Wgpu(_)), "PyTorch has no device wgpu; use cpu or cuda");
    let sizes = json!({
        "device": choice.to_string(), "images": n_images, "repeats": 10, "image_size": vision.image_size,
        "patch_size": vision.patch_size, "width": vision.width, "heads": vision.heads, "layers": vision.layers,
        "mlp_width": vision.mlp_width, "embed_dim": config.embed_dim,
    });
    let output = match Command::new(python).args(["-c", SCRIPT, &sizes.to_string()]).output() {
        Ok(output) => output,
        Err(err) => {
            bail!(NotHere(format!("there is no Python to compare with ({err}); --python names one: {python}")))
        }
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last_line = stderr.lines().last().unwrap_or_default();
    match output.status.code() {
        Some(0) => {
            let printed = String::from_utf8_lossy(&output.stdout);
            serde_json::from_str(printed.lines().last().unwrap_or_default())
                .with_context(|| format!("{python} printed no times: {printed}"))
        }
        Some(MISSING) => bail!(NotHere(format!("{last_line}; --python names another Python: {python}"))),
        _ => bail!("PyTorch failed: {last_line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradients::small_config;
    use super::*;

    #[test]
    fn without_pytorch_the_comparison_says_so() {
        let config = small_config().unwrap();
        let missing = |python: &str| {
            let err = compare(&Device::Cpu, DeviceChoice::Cpu, python, &config, 2).unwrap_err();
            assert!(err.is::<NotHere>(), "{err:#}");
            err.to_string()
        };
        assert!(missing("/nonexistent/python").contains("--python names one"));
    }

    #[cfg(unix)]
    #[test]
    fn the_times_of_both_sides_are_beside_each_other() {
        use std::os::unix::fs::PermissionsExt;
        // Prints what PyTorch's side would print.
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python");
        let times = r#"{"version": "2.9", "attention_ms": 1e6, "block_ms": 2e6, "tower_ms": 4e6}"#;
        std::fs::write(&python, format!("#!/bin/sh\necho '{times}'\n")).unwrap();
        std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
        let config = small_config().unwrap();
        let figures = compare(&Device::Cpu, DeviceChoice::Cpu, python.to_str().unwrap(), &config, 2).unwrap();
        assert_eq!((&figures["pytorch"], &figures["pytorch_images_per_sec"]), (&json!("2.9"), &json!(0.0005)));
        let rows = figures["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row["ms"].as_f64().unwrap() > 0.0 || row["what"] == "block"), "{figures}");
    }
}
