//! Keys with prefixes and wrappers, and files with several models.

use super::*;

fn keyed(names: &[&str]) -> Keyed {
    let stored = StoredTensor::new(Dtype::F32, &[1], vec![0; 4].into());
    open_clip_keys(names.iter().map(|name| (name.to_string(), stored.clone())).collect())
}

fn keys(names: &[&str]) -> Vec<String> {
    keyed(names).tensors.into_keys().collect()
}

const PLAIN: [&str; 4] = ["logit_scale", "token_embedding.weight", "visual.conv1.weight", "visual.proj"];

#[test]
fn wrappers_prefixes_are_stripped() {
    let names = ["module.visual.proj", "module.text.ln_final.weight", "text_projection", "input_resolution"];
    assert_eq!(keys(&names), ["ln_final.weight", "text_projection", "visual.proj"]);
}

#[test]
fn any_prefix_is_peeled_however_deep() {
    for prefix in [
        "module.",
        "_orig_mod.",
        "model.",
        "module.module.",
        "_orig_mod.module.",
        "module._orig_mod.",
        "model._orig_mod.module.",
        "state_dict.model.clip.",
        "net.backbone.clip_model.",
        "student.",
        "ema_model.module.",
        "_forward_module._orig_mod.model.",
        "0.",
    ] {
        let names = PLAIN.map(|name| format!("{prefix}{name}"));
        assert_eq!(keys(&names.each_ref().map(String::as_str)), PLAIN, "{prefix}");
        let custom_text = [format!("{prefix}text.token_embedding.weight"), format!("{prefix}visual.conv1.weight")];
        let expected = ["token_embedding.weight", "visual.conv1.weight"];
        assert_eq!(keys(&custom_text.each_ref().map(String::as_str)), expected, "{prefix}");
    }
}

#[test]
fn wrappers_inside_a_name_are_removed() {
    let names = [
        "visual._orig_mod.conv1.weight",
        "visual.transformer.resblocks.0._checkpoint_wrapped_module.ln_1.weight",
        "_fsdp_wrapped_module.transformer.resblocks.3._fsdp_wrapped_module.ln_2.bias",
    ];
    let expected =
        ["transformer.resblocks.3.ln_2.bias", "visual.conv1.weight", "visual.transformer.resblocks.0.ln_1.weight"];
    assert_eq!(keys(&names), expected);
}

#[test]
fn the_model_is_taken_and_what_is_beside_it_is_named() {
    let keyed = keyed(&[
        "ema_model.token_embedding.weight",
        "ema_model.visual.conv1.weight",
        "loss.temperature",
        "model.token_embedding.weight",
        "model.visual.conv1.weight",
    ]);
    assert_eq!(keyed.tensors.into_keys().collect::<Vec<_>>(), ["token_embedding.weight", "visual.conv1.weight"]);
    let left_out = ["ema_model.token_embedding.weight", "ema_model.visual.conv1.weight", "loss.temperature"];
    assert_eq!(keyed.left_out, left_out);
}

#[test]
fn a_copy_beside_a_bare_model_is_left_out() {
    let copies = ["ema.token_embedding.weight", "ema.visual.conv1.weight", "ema.visual.proj"];
    let keyed = keyed(&[&PLAIN[..], &copies].concat());
    assert_eq!(keyed.tensors.into_keys().collect::<Vec<_>>(), PLAIN);
    assert_eq!(keyed.left_out, copies);
}

#[test]
fn of_two_equally_good_models_none_is_taken() {
    for (first, second) in [("model_a", "model_bb"), ("ema_a", "ema_b"), ("state_dict.x", "state_dict.y")] {
        let names: Vec<String> =
            [first, second].iter().flat_map(|prefix| PLAIN.map(|name| format!("{prefix}.{name}"))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(best_prefixes(names.iter().copied()), [format!("{first}."), format!("{second}.")]);
        assert_eq!(keys(&names), names, "all stay under their own names");
    }
    let nested = ["m.a.token_embedding.weight", "m.a.visual.conv1.weight"];
    assert_eq!(best_prefixes(nested.into_iter().chain(PLAIN)), [""]);
}

#[test]
fn values_of_an_optimizer_are_no_model() {
    for part in NOT_A_MODEL {
        let names = PLAIN.map(|name| format!("{part}.{name}"));
        let names = names.each_ref().map(String::as_str);
        assert_eq!(keys(&names), names, "{part}");
        let keyed = keyed(&[&PLAIN[..], &names].concat());
        assert_eq!(keyed.tensors.into_keys().collect::<Vec<_>>(), PLAIN);
        assert_eq!(keyed.left_out, names);
    }
}

#[test]
fn keys_of_another_model_stay_as_they_are() {
    let names = ["image_encoder.x", "model.embeddings.weight", "text_model.x"];
    assert_eq!(keys(&names), names);
    let quantized = ["token_embedding.weight.int8", "token_embedding.weight.int8_scale"];
    assert_eq!(keys(&quantized), quantized);
}

#[test]
fn two_names_of_one_key_lose_nothing() {
    let names = ["visual.proj", "module.visual.proj"];
    assert_eq!(keys(&names), ["module.visual.proj", "visual.proj"]);
}

#[test]
fn a_logit_scale_of_one_value_is_a_scalar() {
    assert_eq!(keyed(&PLAIN).tensors["logit_scale"].shape, [0usize; 0]);
    assert_eq!(keyed(&PLAIN).tensors["visual.proj"].shape, [1]);
}
