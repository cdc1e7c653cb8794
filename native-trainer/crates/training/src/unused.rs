//! Settings of a recipe that have no effect because of its other settings.

use super::recipe::Recipe;
use anyhow::{Result, bail};
use dermake_data::Augmentation;
use dermake_objective::{Objective, Variant};

/// Refuses a setting that differs from its default and changes nothing.
///
/// # Errors
/// Names the first one, and the setting that takes its effect away.
pub(super) fn check(recipe: &Recipe) -> Result<()> {
    let settings = [model(recipe), data(recipe), augmentation(recipe), objective(recipe), run(recipe)].concat();
    match settings.iter().find(|setting| setting.is_set && setting.without_effect.is_some()) {
        Some(Setting { name, without_effect: Some(why), .. }) => {
            bail!("{name} has no effect, since {why}; remove it")
        }
        _ => Ok(()),
    }
}

/// A setting of a recipe.
#[derive(Clone)]
struct Setting {
    name: &'static str,
    /// Whether it differs from its default.
    is_set: bool,
    /// Why it changes nothing, if so.
    without_effect: Option<&'static str>,
}

fn setting(name: &'static str, is_set: bool, is_unused: bool, why: &'static str) -> Setting {
    Setting { name, is_set, without_effect: is_unused.then_some(why) }
}

fn model(recipe: &Recipe) -> Vec<Setting> {
    let model = &recipe.model;
    vec![setting("model.seed", model.seed != 0, model.from.is_some(), "the weights come from model.from")]
}

fn data(recipe: &Recipe) -> Vec<Setting> {
    vec![setting(
        "data.ontology",
        recipe.data.ontology.is_some(),
        !recipe.needs_lineages(),
        "neither the objective nor data.ontology_sampling uses an ontology",
    )]
}

fn augmentation(recipe: &Recipe) -> Vec<Setting> {
    let (set, default) = (&recipe.data.augmentation, Augmentation::default());
    let has_no_crop = !set.random_crop;
    let no_crop = "data.augmentation.random_crop is false";
    vec![
        setting("data.augmentation.scale", set.scale != default.scale, has_no_crop, no_crop),
        setting("data.augmentation.ratio", set.ratio != default.ratio, has_no_crop, no_crop),
        setting(
            "data.augmentation.color_jitter",
            set.color_jitter != default.color_jitter,
            set.color_jitter_prob == 0.0,
            "data.augmentation.color_jitter_prob is 0",
        ),
        setting(
            "data.augmentation.color_jitter_prob",
            set.color_jitter_prob != default.color_jitter_prob && set.color_jitter_prob != 0.0,
            set.color_jitter == [0.0; 4],
            "data.augmentation.color_jitter changes nothing",
        ),
    ]
}

fn objective(recipe: &Recipe) -> Vec<Setting> {
    let (set, default) = (&recipe.objective, Objective::of(recipe.objective.variant));
    let is_clip = set.variant.has_one_caption();
    let clip = match set.variant {
        Variant::SigLip => "objective.variant is \"siglip\"",
        _ => "objective.variant is \"clip\"",
    };
    let has_no_subcaptions = recipe.data.table.n_subcaptions == 0;
    let no_subcaptions = "data.table.n_subcaptions is 0";
    let has_no_local_pairs = matches!(set.variant, Variant::Paper | Variant::Omake) && has_no_subcaptions;
    vec![
        setting("objective.lambda_m", set.lambda_m != default.lambda_m, is_clip, clip),
        setting("objective.lambda_s", set.lambda_s != default.lambda_s, is_clip, clip),
        setting("objective.lambda_s", set.lambda_s != default.lambda_s, has_no_local_pairs, no_subcaptions),
        setting("objective.sigma", set.sigma != default.sigma, is_clip, clip),
        setting("objective.sigma", set.sigma != default.sigma, has_no_local_pairs, no_subcaptions),
        setting("objective.sigma", set.sigma != default.sigma, set.lambda_s == 0.0, "objective.lambda_s is 0"),
        setting("objective.diagnosis_weights", !set.diagnosis_weights, is_clip, clip),
        setting("objective.diagnosis_weights", !set.diagnosis_weights, has_no_subcaptions, no_subcaptions),
    ]
}

fn run(recipe: &Recipe) -> Vec<Setting> {
    let run = &recipe.run;
    vec![
        setting(
            "run.evaluate_every_epochs",
            run.evaluate_every_epochs != 1,
            recipe.data.validation.is_none() && recipe.data.zero_shot.is_empty(),
            "there is neither data.validation nor data.zero_shot",
        ),
        setting(
            "run.keep_every_epochs",
            run.keep_every_epochs.is_some(),
            run.keep_every_epochs.is_some_and(|every| every > run.epochs),
            "it is more than run.epochs",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message for the smoke recipe with these changes.
    fn said(change: impl FnOnce(&mut Recipe)) -> String {
        let mut recipe = Recipe::read("smoke").unwrap();
        change(&mut recipe);
        check(&recipe).err().map_or(String::new(), |err| err.to_string())
    }

    #[test]
    fn a_setting_without_effect_is_named_with_the_reason() {
        assert_eq!(said(|_| {}), "");
        assert_eq!(
            said(|recipe| (recipe.model.from, recipe.model.seed) = (Some("m".into()), 3)),
            "model.seed has no effect, since the weights come from model.from; remove it"
        );
        let clip = |change: fn(&mut Objective)| {
            said(|recipe| {
                recipe.objective.variant = Variant::Clip;
                change(&mut recipe.objective);
            })
        };
        assert_eq!(clip(|_| {}), "");
        assert!(clip(|objective| objective.lambda_s = 0.5).starts_with("objective.lambda_s has no effect"));
        assert!(clip(|objective| objective.sigma = 0.2).starts_with("objective.sigma has no effect"));
        assert!(clip(|objective| objective.diagnosis_weights = false).contains("\"clip\""));
        let ontology = said(|recipe| recipe.data.ontology = Some("tree.json".into()));
        assert!(ontology.contains("data.ontology has no effect"), "{ontology}");
        let used = said(|recipe| {
            recipe.data.ontology = Some("tree.json".into());
            recipe.objective.variant = Variant::Omake;
        });
        assert_eq!(used, "");
        let without_crop = said(|recipe| {
            recipe.data.augmentation.random_crop = false;
            recipe.data.augmentation.scale = [0.5, 1.0];
        });
        assert!(without_crop.contains("random_crop is false"), "{without_crop}");
        let without_jitter = said(|recipe| {
            recipe.data.augmentation.color_jitter_prob = 0.0;
            recipe.data.augmentation.color_jitter = [0.1; 4];
        });
        assert!(without_jitter.contains("color_jitter_prob is 0"), "{without_jitter}");
        let unkept = said(|recipe| recipe.run.keep_every_epochs = Some(recipe.run.epochs + 1));
        assert!(unkept.contains("more than run.epochs"), "{unkept}");
        let nothing_to_evaluate = said(|recipe| {
            recipe.data.validation = None;
            recipe.data.zero_shot.clear();
            recipe.run.evaluate_every_epochs = 2;
        });
        assert!(
            nothing_to_evaluate.contains("neither data.validation nor data.zero_shot"),
            "{nothing_to_evaluate}"
        );
    }
}
