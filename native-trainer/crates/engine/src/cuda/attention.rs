//! Self-attention within packed sequences, on a GPU.

use super::element::Element;
use super::flat::CudaOps;
use super::launch::{Arg, Launch, int, long};
use super::signatures::{
    ATTENTION_DELTA_LANES, ATTENTION_F32_MAX_WIDTH, ATTENTION_F32_ROWS, ATTENTION_HALF_ROWS, ATTENTION_THREADS,
    ATTENTION_WIDTHS, attention_shared_bytes,
};
use crate::ops::Sequences;
use anyhow::{Result, ensure};
use candle_core::DType;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use shared_model::config::ClipConfig;
use shared_model::fused::Heads;

/// Checks that there are attention kernels for the heads of both towers.
///
/// # Errors
/// Names the tower, and what would do.
pub fn check_heads(config: &ClipConfig, dtype: DType) -> Result<()> {
    let (vision, text) = (&config.vision, &config.text);
    let widths = [("vision_cfg", vision.width / vision.heads), ("text_cfg", text.width / text.heads)];
    for (tower, width) in widths {
        ensure!(
            width <= ATTENTION_F32_MAX_WIDTH,
            "the heads of {tower} are {width} wide; on a GPU they can be at most {ATTENTION_F32_MAX_WIDTH} wide"
        );
        ensure!(
            dtype == DType::F32 || ATTENTION_WIDTHS.contains(&width),
            "the heads of {tower} are {width} wide; on a GPU bf16 and f16 need one of {ATTENTION_WIDTHS:?}: choose \
             f32 (run.precision of a recipe, --dtype)"
        );
    }
    Ok(())
}

impl<T: Element> CudaOps<'_, T> {
    /// What [`Ops::attention`](crate::Ops::attention) returns.
    pub(super) fn attention_forward(
        &mut self,
        qkv: &CudaSlice<T>,
        sequences: &Sequences,
        heads: Heads,
    ) -> Result<(CudaSlice<T>, CudaSlice<f32>)> {
        let (gpu, starts) = (self.gpu, self.starts(sequences)?);
        ensure!(qkv.len() == 3 * sequences.n_tokens() * heads.count * heads.width, "qkv has {} values", qkv.len());
        let attended = gpu.buffer(qkv.len() / 3)?;
        let log_sum_exp = gpu.buffer(sequences.n_tokens() * heads.count)?;
        let buffers = [gpu.at(qkv), starts, gpu.at(&attended), gpu.at(&log_sum_exp)];
        self.launch_attention("attention_forward", sequences, heads, &buffers, (1, false))?;
        Ok((attended, log_sum_exp))
    }

    /// What [`Ops::attention_gradient`](crate::Ops::attention_gradient) returns.
    pub(super) fn attention_backward(
        &mut self,
        qkv: &CudaSlice<T>,
        sequences: &Sequences,
        heads: Heads,
        attended: &CudaSlice<T>,
        log_sum_exp: &CudaSlice<f32>,
        dy: &CudaSlice<T>,
    ) -> Result<CudaSlice<T>> {
        let (gpu, starts, n_tokens) = (self.gpu, self.starts(sequences)?, sequences.n_tokens());
        ensure!(qkv.len() == 3 * n_tokens * heads.count * heads.width, "qkv has {} values", qkv.len());
        let delta: CudaSlice<f32> = gpu.buffer(n_tokens * heads.count)?;
        let lanes = n_tokens * heads.count * ATTENTION_DELTA_LANES;
        let launch = Launch::of_blocks(lanes.div_ceil(ATTENTION_THREADS as usize))?.threads(ATTENTION_THREADS);
        let sizes = [long(n_tokens), int(heads.count)?, int(heads.width)?];
        self.launch(
            "attention_delta",
            launch,
            &[&[gpu.at(attended), gpu.at(dy), gpu.at(&delta)], &sizes[..]].concat(),
        )?;
        let d_qkv = gpu.buffer(qkv.len())?;
        let buffers = [gpu.at(qkv), starts, gpu.at(log_sum_exp), gpu.at(&delta), gpu.at(dy), gpu.at(&d_qkv)];
        self.launch_attention("attention_backward_q", sequences, heads, &buffers, (2, false))?;
        self.launch_attention("attention_backward_kv", sequences, heads, &buffers, (2, true))?;
        Ok(d_qkv)
    }

    /// Launches one kernel, which has `n_tiles` tiles of its own rows in shared memory and, with `row_statistics`, the
    /// statistics of the rows that it reads.
    fn launch_attention(
        &self,
        name: &str,
        sequences: &Sequences,
        heads: Heads,
        buffers: &[Arg],
        (n_tiles, row_statistics): (usize, bool),
    ) -> Result<()> {
        let longest = sequences.starts().windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let (name, rows) = if T::IS_HALF {
            (format!("{name}_w{}", heads.width), ATTENTION_HALF_ROWS)
        } else {
            (name.to_string(), ATTENTION_F32_ROWS)
        };
        let tiles_of_longest = longest.div_ceil(rows);
        let launch = Launch::of_grid(sequences.len() * tiles_of_longest, heads.count)?
            .threads(ATTENTION_THREADS)
            .shared_bytes(attention_shared_bytes(T::IS_HALF, heads.width, n_tiles, row_statistics));
        let mut args = buffers.to_vec();
        args.push(int(heads.count)?);
        if !T::IS_HALF {
            args.push(int(heads.width)?); // the kernels of bf16 and f16 have their own
        }
        args.extend([int(tiles_of_longest)?, Arg::Int(heads.is_causal.into())]);
        self.launch(&name, launch, &args)
    }

    /// The starts of the sequences, on the GPU. All blocks of a pass use the same, so they are uploaded once.
    fn starts(&mut self, sequences: &Sequences) -> Result<Arg> {
        if !matches!(&self.uploaded, Some((known, _)) if known == sequences) {
            let starts =
                sequences.starts().iter().map(|&start| Ok(i32::try_from(start)?)).collect::<Result<Vec<_>>>()?;
            self.uploaded = Some((sequences.clone(), self.gpu.upload(&starts)?));
        }
        let starts = self.uploaded.as_ref().map(|(_, starts)| self.gpu.at(starts));
        Ok(starts.expect("set above"))
    }
}
