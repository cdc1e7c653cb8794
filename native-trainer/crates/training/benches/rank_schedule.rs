//! Simulates the schedule of a step on many ranks: `cargo run --release -p dermake-training --example rank_schedule`.
//! What each rank holds and sends is counted with the functions that a run divides its work by; nothing is computed or
//! sent. `docs/ranks.md` has the table.

use anyhow::{Context, Result};
use clap::Parser;
use dermake_training::estimate::{BatchSize, StepEstimate};
use dermake_training::model::DeviceMemory;
use dermake_training::recipe::Recipe;
use dermake_training::traffic::{StepSizes, StepTraffic};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared_model::config::ClipConfig;

#[derive(Parser)]
struct Options {
    #[arg(long, default_value = "pretrain-vit-b-16")]
    recipe: String,
    /// Images of a batch of all ranks, in place of the recipe's
    #[arg(long)]
    batch_size: Option<usize>,
    #[arg(long, value_delimiter = ',', default_value = "1,8,64,512")]
    ranks: Vec<usize>,
    /// Distinct captions of a sample
    #[arg(long, default_value_t = 5.5)]
    texts: f64,
    /// Tokens of each, at least and at most
    #[arg(long, num_args = 2, default_values_t = [6, 42])]
    tokens: Vec<usize>,
    /// GB/s that a rank sends, to a machine and within one
    #[arg(long, num_args = 2, default_values_t = [12.5, 300.0])]
    speeds: Vec<f64>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut recipe = Recipe::read(&options.recipe)?;
    recipe.run.batch_size = options.batch_size.unwrap_or(recipe.run.batch_size);
    let config = match recipe.model.drawn_config()? {
        Some(config) => config,
        None => ClipConfig::named("ViT-B-16-quickgelu").context("the model of the published run")?,
    };
    let n_images = recipe.run.batch_size;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let n_texts = (n_images as f64 * options.texts) as usize;
    let lengths: Vec<usize> =
        (0..n_texts).map(|_| rng.random_range(options.tokens[0]..=options.tokens[1])).collect();
    let n_values = recipe.locked().layout(&config).n_trained();
    let sizes = StepSizes { n_images, text_lengths: &lengths, embed_dim: config.embed_dim, n_values };
    println!("{n_images} images, {n_texts} distinct captions, {:.1} M trained values", n_values as f64 / 1e6);
    for n_ranks in options.ranks {
        let batch = BatchSize { n_images, n_texts, n_tokens: lengths.iter().sum(), n_ranks };
        let memory = DeviceMemory { free_bytes: 60 << 30, value_bytes: 2, is_gpu: true };
        let estimate = StepEstimate::new(&recipe, &config, batch, 2, memory)?;
        report(&sizes, n_ranks, &estimate, &options.speeds);
    }
    Ok(())
}

fn report(sizes: &StepSizes<'_>, n_ranks: usize, estimate: &StepEstimate, speeds: &[f64]) {
    let (shares, traffic) = (sizes.shares(n_ranks), sizes.traffic(n_ranks));
    let range = |values: Vec<usize>| (values.iter().min().copied(), values.iter().max().copied());
    let bounds = |(least, most): (Option<usize>, Option<usize>)| {
        format!("{} to {}", least.unwrap_or_default(), most.unwrap_or_default())
    };
    let images = bounds(range(shares.iter().map(|(images, _)| images.len()).collect()));
    let texts = bounds(range(shares.iter().map(|(_, texts)| texts.len()).collect()));
    let tokens = |(_, texts): &(_, std::ops::Range<usize>)| sizes.text_lengths[texts.clone()].iter().sum();
    let tokens = bounds(range(shares.iter().map(tokens).collect()));
    let logits = shares.iter().map(|(images, _)| images.len()).max().unwrap_or_default() * sizes.text_lengths.len();
    println!("\n{n_ranks} ranks: images {images}, captions {texts}, tokens {tokens} a rank");
    let mb = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "  holds: parameters and moments {:.0} MB, activations {:.0} MB, loss {:.0} MB, logits of a whole term {:.0} MB",
        mb(estimate.parameters),
        mb(estimate.activations),
        mb(estimate.loss),
        mb(4 * logits as u64)
    );
    let Some(most) = traffic.iter().max_by_key(|traffic| traffic.total()) else { return };
    let StepTraffic { features, feature_gradients, parameters, .. } = *most;
    println!(
        "  sends at most: features {:.1} MB, their gradients {:.1} MB, gradients of parameters {:.1} MB, all {:.1} MB",
        mb(features),
        mb(feature_gradients),
        mb(parameters),
        mb(most.total())
    );
    for speed in speeds {
        println!("  at {speed} GB/s: {:.1} ms", most.total() as f64 / (speed * 1e6));
    }
}
