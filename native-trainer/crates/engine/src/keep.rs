//! Which micro-batches keep their activations, and which are computed again.

/// Which activations a forward pass keeps for its backward pass. Results do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Everything: nothing is computed again but layer norms and activations.
    All,
    /// The input of each block; each block is computed again.
    Inputs,
    /// Nothing: the micro-batch is computed again.
    Nothing,
}

/// Bytes that one micro-batch keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartBytes {
    /// With [`Keep::All`].
    pub all: u64,
    /// With [`Keep::Inputs`].
    pub inputs: u64,
}

/// Which activations each micro-batch of a batch keeps until its backward pass, and which ones if it is computed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// [`Keep::All`] or [`Keep::Nothing`], in the order of the micro-batches.
    pub parts: Vec<Keep>,
    /// [`Keep::All`] or [`Keep::Inputs`].
    pub again: Keep,
}

/// Keeps as many micro-batches as fit into `budget` bytes.
///
/// If not all fit, memory is reserved for the largest micro-batch that is computed again. A micro-batch that is larger
/// than the budget by itself keeps the inputs of its blocks all the same, since no pass needs less.
pub fn plan_memory(parts: &[PartBytes], budget: u64) -> MemoryPlan {
    let total = parts.iter().fold(0u64, |sum, part| sum.saturating_add(part.all));
    if total <= budget {
        return MemoryPlan { parts: vec![Keep::All; parts.len()], again: Keep::All };
    }
    let largest = parts.iter().map(|part| part.all).max().unwrap_or(0);
    let again = if largest <= budget { Keep::All } else { Keep::Inputs };
    let mut left = budget.saturating_sub(largest);
    let keep = |part: &PartBytes| match left.checked_sub(part.all) {
        Some(rest) => {
            left = rest;
            Keep::All
        }
        None => Keep::Nothing,
    };
    MemoryPlan { parts: parts.iter().map(keep).collect(), again }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept_with_room_for_one_that_is_computed_again() {
        let parts =
            [PartBytes { all: 40, inputs: 5 }, PartBytes { all: 30, inputs: 4 }, PartBytes { all: 50, inputs: 6 }];
        let of = |budget| plan_memory(&parts, budget);
        let plan = |parts: [Keep; 3], again| MemoryPlan { parts: parts.to_vec(), again };
        assert_eq!(of(120), plan([Keep::All; 3], Keep::All));
        assert_eq!(of(119), plan([Keep::All, Keep::Nothing, Keep::Nothing], Keep::All));
        assert_eq!(of(80), plan([Keep::Nothing, Keep::All, Keep::Nothing], Keep::All));
        assert_eq!(of(50), plan([Keep::Nothing; 3], Keep::All));
        assert_eq!(of(49), plan([Keep::Nothing; 3], Keep::Inputs));
        assert_eq!(of(0), plan([Keep::Nothing; 3], Keep::Inputs));
        assert_eq!(plan_memory(&[], 0), MemoryPlan { parts: vec![], again: Keep::All });
    }
}
