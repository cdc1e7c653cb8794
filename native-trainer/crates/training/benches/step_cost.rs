//! Counts what a training step of a recipe costs on a GPU: `cargo run --release -p dermake-training --example
//! step_cost`. The passes run on sizes only; nothing is computed. `docs/gpu.md` has the table.

use anyhow::{Context, Result};
use clap::Parser;
use dermake_training::estimate::{BatchSize, StepEstimate};
use dermake_training::model::DeviceMemory;
use dermake_training::recipe::Recipe;
use shared_model::config::ClipConfig;

#[derive(Parser)]
struct Options {
    #[arg(long, default_value = "pretrain-vit-b-16")]
    recipe: String,
    /// Distinct captions of a sample
    #[arg(long, default_value_t = 5.5)]
    texts: f64,
    /// Tokens of them
    #[arg(long, default_value_t = 133.0)]
    tokens: f64,
    /// GiB of activations that are kept
    #[arg(long, default_value_t = 115.0)]
    gib: f64,
    /// Of the device, in matrix products [default: what an H200 reaches on random data]
    #[arg(long)]
    tflops: Option<f64>,
    /// Of its memory
    #[arg(long, default_value_t = 4800.0)]
    gb_per_sec: f64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let tflops = options.tflops.map_or_else(reached_by_h200, Ok)?;
    let mut recipe = Recipe::read(&options.recipe)?;
    recipe.run.micro_batches.activation_memory_gib = Some(options.gib);
    let architecture = recipe.model.architecture.as_deref().unwrap_or("ViT-B-16-quickgelu");
    let config = recipe.model.drawn_config()?.map_or_else(|| ClipConfig::named(architecture), Ok)?;
    let n_images = recipe.run.batch_size;
    let of_batch = |per_sample: f64| (per_sample * n_images as f64) as usize;
    let batch =
        BatchSize { n_images, n_texts: of_batch(options.texts), n_tokens: of_batch(options.tokens), n_ranks: 1 };
    let memory = DeviceMemory { free_bytes: 0, value_bytes: 2, is_gpu: true };
    let estimate = StepEstimate::new(&recipe, &config, batch, 2, memory)?;

    println!("| operation | launches | TFLOP | GB | floor in ms |\n|---|---|---|---|---|");
    let (mut launches, mut floor_of_all) = (0, 0.0);
    for (name, cost) in &estimate.costs {
        let floor = (1e3 * cost.flops / (tflops * 1e12)).max(1e3 * cost.bytes / (options.gb_per_sec * 1e9));
        println!(
            "| {name} | {} | {:.1} | {:.0} | {floor:.1} |",
            cost.launches,
            cost.flops / 1e12,
            cost.bytes / 1e9
        );
        launches += cost.launches;
        floor_of_all += floor;
    }
    let bytes: f64 = estimate.costs.values().map(|cost| cost.bytes).sum();
    println!("| all | {launches} | {:.1} | {:.0} | {floor_of_all:.1} |", estimate.flops() / 1e12, bytes / 1e9);
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    println!(
        "\n{:.0} % of the micro-batches keep their activations: {:.1} GiB at most; parameters, gradients and moments {:.1}, \
         loss {:.1}, batches {:.1}. At the floor {:.0} samples/s.",
        100.0 * estimate.kept_share,
        gib(estimate.activations),
        gib(estimate.parameters),
        gib(estimate.loss),
        gib(estimate.batches),
        n_images as f64 / (floor_of_all / 1e3)
    );
    Ok(())
}

/// TFLOP/s of the list that the benchmarks beside PyTorch read, too.
fn reached_by_h200() -> Result<f64> {
    let list = serde_json::from_str::<serde_json::Value>(include_str!("../../../benches/peak_tflops.json"))?;
    let gpus = list["gpus"].as_array().context("the list of peaks has gpus")?;
    let h200 = gpus.iter().find(|gpu| gpu["name"] == "H200").context("the list of peaks has the H200")?;
    h200["reached"].as_f64().context("the H200 has a peak that is reached")
}
