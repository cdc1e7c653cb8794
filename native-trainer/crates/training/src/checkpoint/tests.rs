//! What is left after a kill, a failed write, and the metadata of weights.

use super::*;
use dermake_models::NOTICE_KEY;
use shared_model::weights::Weights;

#[test]
fn what_a_kill_left_is_tidied_up() {
    let run = tempfile::tempdir().unwrap();
    let folder = run.path().join("checkpoints");
    let make = |name: &str, content: &str| {
        fs::create_dir_all(folder.join(name)).unwrap();
        fs::write(folder.join(name).join(STATE_FILE), content).unwrap();
    };
    make(".partial-last", "half");
    make(".previous-last", "whole");
    make("step-000010", "new");
    make(".previous-step-000010", "old");
    Checkpoints::of(run.path(), None).open().unwrap();
    let mut left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["last", "step-000010"]);
    assert_eq!(fs::read_to_string(folder.join("last").join(STATE_FILE)).unwrap(), "whole");
    assert_eq!(fs::read_to_string(folder.join("step-000010").join(STATE_FILE)).unwrap(), "new");
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_that_fails_is_said_once() {
    let tensor = Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("x.safetensors");
    let error = write_tensors(std::iter::once(("x".to_string(), tensor)), None, &path).unwrap_err();
    assert_eq!(format!("{error:#}").matches("Not a directory").count(), 1, "{error:#}");
}

#[test]
fn weights_carry_the_notice_and_what_pytorch_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let metadata = |notice: Option<&str>| {
        let path = folder.path().join("x.safetensors");
        let tensor = Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap();
        write_tensors(std::iter::once(("x".to_string(), tensor)), notice, &path).unwrap();
        let weights = Weights::from_safetensors(fs::read(path).unwrap().into()).unwrap();
        ["format", NOTICE_KEY].map(|key| weights.metadata(key).map(str::to_string))
    };
    assert_eq!(metadata(Some("Drawn.")), [Some("pt".into()), Some("Drawn.".into())]);
    assert_eq!(metadata(None), [Some("pt".into()), None]);
}
