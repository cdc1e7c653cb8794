//! Which drivers and GPUs a program with CUDA runs on: a rule of its toolkit and of how candle's kernels are compiled.
//!
//! Candle's kernels are in the program as PTX, which the driver translates for the GPU.

#![cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "without CUDA only the tests read it"))]

/// From this compute capability on, candle's build adds a suffix to the architecture that it compiles for, as in
/// `sm_90a`. PTX with it runs on this architecture alone; without it, on later ones, too.
const FIRST_OF_ONE_ARCHITECTURE: i32 = 90;

/// The oldest version of CUDA that a driver may be for, as the driver counts it: 13000 is 13.0.
///
/// A driver runs machine code of a newer toolkit of its major version. But it translates PTX of its own version or an
/// older one, and every toolkit writes the version that came with it; only that of 12.6 is that of 12.5.
pub fn least_driver(toolkit: u32) -> u32 {
    if toolkit == 12060 { 12050 } else { toolkit }
}

/// The compute capability that `CUDA_COMPUTE_CAP` named when the program was built: 90 for `90`, `90a` and `sm_90`.
pub fn built_for(variable: &str) -> Option<i32> {
    let name = variable.trim().to_ascii_lowercase();
    let name = name.strip_prefix("sm_").unwrap_or(&name);
    let number: i32 = name.strip_suffix(['a', 'f']).unwrap_or(name).parse().ok()?;
    Some(if number < 20 { 10 * number } else { number })
}

/// Why a GPU of this compute capability cannot run candle's kernels, compiled for `built_for`; None if it can.
pub fn unfit_gpu(built_for: i32, capability: i32) -> Option<String> {
    let (is_bound, shown) =
        (built_for >= FIRST_OF_ONE_ARCHITECTURE, |number: i32| format!("{}.{}", number / 10, number % 10));
    let runs = if is_bound { capability == built_for } else { capability >= built_for };
    (!runs).then(|| {
        format!(
            "this dermake was built for GPUs of compute capability {} {}, this one has {}; build it again on this \
             machine, or with CUDA_COMPUTE_CAP={capability}",
            shown(built_for),
            if is_bound { "alone" } else { "and newer" },
            shown(capability)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_translates_what_its_own_version_of_the_compiler_writes() {
        // NVIDIA's table of releases: CUDA 12.5 and 12.6 both have PTX 8.5.
        for (toolkit, least) in [(12040, 12040), (12050, 12050), (12060, 12050), (12080, 12080), (13000, 13000)] {
            assert_eq!(least_driver(toolkit), least);
        }
    }

    #[test]
    fn the_compute_capability_is_read_as_candles_build_reads_it() {
        let read = ["80", "90", "90a", "SM_90a", "121f", " 100 ", "9", "native", ""].map(built_for);
        assert_eq!(read, [Some(80), Some(90), Some(90), Some(90), Some(121), Some(100), Some(90), None, None]);
    }

    #[test]
    fn kernels_for_hopper_run_on_hopper_alone() {
        let runs = |built_for: i32| {
            [80, 86, 89, 90, 100, 120].map(|capability| unfit_gpu(built_for, capability).is_none())
        };
        assert_eq!(runs(80), [true; 6]);
        assert_eq!(runs(89), [false, false, true, true, true, true]);
        assert_eq!(runs(90), [false, false, false, true, false, false]);
        assert_eq!(runs(120), [false, false, false, false, false, true]);
        let why = unfit_gpu(90, 100).unwrap();
        assert!(why.contains("9.0 alone, this one has 10.0") && why.ends_with("CUDA_COMPUTE_CAP=100"), "{why}");
        assert!(unfit_gpu(89, 80).unwrap().contains("8.9 and newer, this one has 8.0"));
    }
}
