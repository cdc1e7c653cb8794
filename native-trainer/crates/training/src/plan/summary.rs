//! What `dermake train` prints of its plan before the first step.

use super::Plan;
use std::fmt::{self, Display};

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = &self.recipe.run;
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let memory = &self.estimate;
        writeln!(f, "objective   {}", self.recipe.objective.variant.name())?;
        let millions = |n_values: usize| n_values as f64 / 1e6;
        write!(f, "parameters  {:.2} M", millions(self.n_values()))?;
        let n_trained = self.n_trained_values();
        match n_trained == self.n_values() {
            true => writeln!(f)?,
            false if self.recipe.lora.is_some() => writeln!(f, ", and {:.2} M of adapters", millions(n_trained))?,
            false => writeln!(f, ", {:.2} M of them trained", millions(n_trained))?,
        }
        let table = self.train.table();
        write!(f, "rows        {} to train on, {} bad", table.usable_rows().count(), table.problems().len())?;
        match table.left_out_in_words() {
            Some(left_out) => writeln!(f, "; {left_out} are left out")?,
            None => writeln!(f)?,
        }
        if let Some(lineages) = self.train.lineages() {
            writeln!(f, "ontology    has the diagnoses of {} rows", lineages.n_known())?;
        }
        let absent = table.absent_columns();
        if !absent.is_empty() && !self.recipe.objective.variant.has_one_caption() {
            writeln!(f, "masked      the table has no {}", absent.join(", "))?;
        }
        writeln!(
            f,
            "steps       {}, each with {} samples; {} an epoch",
            self.total_steps, run.batch_size, self.steps_per_epoch
        )?;
        if self.n_ranks > 1 {
            let n_images = run.batch_size.div_ceil(self.n_ranks);
            writeln!(f, "ranks       {}, each with {n_images} images of a batch; of each:", self.n_ranks)?;
        }
        write!(f, "step        {:.1} GFLOP", memory.flops() / 1e9)?;
        match memory.kept_share < 1.0 {
            true => writeln!(
                f,
                "; {:.0} % of the activations are kept, the others are computed again",
                100.0 * memory.kept_share
            )?,
            false => writeln!(f)?,
        }
        write!(
            f,
            "memory      about {:.0} MiB: parameters and moments {:.0}, activations {:.0}, loss {:.0}, batches {:.0}",
            mib(memory.total_bytes()),
            mib(memory.parameters),
            mib(memory.activations),
            mib(memory.loss),
            mib(memory.batches)
        )
    }
}
