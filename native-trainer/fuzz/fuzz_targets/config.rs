//! `open_clip_config.json`, and the config of a quantized model.
#![no_main]

use dermake_fuzz::parameters;
use libfuzzer_sys::fuzz_target;
use shared_model::config::ClipConfig;

fuzz_target!(|json: &[u8]| {
    let Ok(config) = ClipConfig::from_json(json) else { return };
    let written = config.to_json().to_string();
    let again = ClipConfig::from_json(written.as_bytes()).expect("what we write is what we read");
    assert_eq!(again, config, "{written}");
    assert!(parameters(&config).iter().all(|parameter| !parameter.shape.contains(&0)));
});
