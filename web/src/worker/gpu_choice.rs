//! Whether the GPU computes: what the page's address requests, and a photo whose feature is known.

use shared_model::gpu::LEAST_COSINE;

/// The engine that the page's address requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// The faster one.
    Fastest,
    /// `?engine=wasm`
    Wasm,
    /// `?engine=webgpu`: the GPU even if it is slower or emulated, but not if it is wrong.
    WebGpu,
}

impl Requested {
    /// Reads the query of a URL.
    pub fn of_query(query: &str) -> Self {
        let engine = query.trim_start_matches('?').split('&').find_map(|part| part.strip_prefix("engine="));
        match engine {
            Some("wasm") => Self::Wasm,
            Some("webgpu") => Self::WebGpu,
            _ => Self::Fastest,
        }
    }
}

/// A photo that wasm has computed.
pub struct KnownAnswer {
    /// `[3, S, S]`
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "only a browser's GPU reads them"))]
    pub pixel_values: Vec<f32>,
    /// `[E]`
    pub feature: Vec<f32>,
    /// How long wasm took.
    pub millis: f64,
}

/// What follows from the GPU's feature of a [`KnownAnswer`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    Use,
    Slower,
    Wrong { cosine: f32 },
}

impl KnownAnswer {
    /// Compares the GPU's feature and time with those of wasm.
    pub fn verdict(&self, feature: &[f32], millis: f64, requested: Requested) -> Verdict {
        let cosine = cosine(feature, &self.feature);
        if cosine.is_nan() || cosine < LEAST_COSINE {
            return Verdict::Wrong { cosine };
        }
        if millis < self.millis || requested == Requested::WebGpu { Verdict::Use } else { Verdict::Slower }
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return f32::NAN;
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_requests_an_engine() {
        assert_eq!(Requested::of_query("?threads=1&engine=webgpu"), Requested::WebGpu);
        assert_eq!(Requested::of_query("?engine=wasm"), Requested::Wasm);
        for query in ["", "?", "?engine=", "?engine=cuda", "?myengine=wasm"] {
            assert_eq!(Requested::of_query(query), Requested::Fastest, "{query}");
        }
    }

    #[test]
    fn a_gpu_computes_if_it_is_right_and_faster() {
        let known = KnownAnswer { pixel_values: Vec::new(), feature: vec![0.6, 0.8], millis: 100.0 };
        let verdict = |feature: &[f32], millis| known.verdict(feature, millis, Requested::Fastest);
        assert_eq!(verdict(&[6.0, 8.01], 99.0), Verdict::Use);
        assert_eq!(verdict(&[6.0, 8.01], 100.0), Verdict::Slower);
        assert_eq!(known.verdict(&[6.0, 8.0], 500.0, Requested::WebGpu), Verdict::Use);
        for wrong in [&[6.0, 9.0][..], &[-0.6, -0.8], &[0.0, 0.0], &[f32::NAN, 1.0], &[1.0]] {
            assert!(matches!(verdict(wrong, 1.0), Verdict::Wrong { .. }), "{wrong:?}");
            let requested = known.verdict(wrong, 1.0, Requested::WebGpu);
            assert!(matches!(requested, Verdict::Wrong { .. }), "{wrong:?}");
        }
    }
}
