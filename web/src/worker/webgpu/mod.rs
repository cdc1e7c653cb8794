//! The visitor's GPU, by WebGPU, for the vision tower.
//!
//! The tower as wasm answers first. Meanwhile the GPU is opened, the kernels are compiled and the weights are copied. The
//! first photo's feature, which wasm has computed, is the known answer that the GPU must give, too. Whatever fails, wasm
//! goes on answering.

mod bindings;
mod device;
mod tower;
mod unavailable;

use super::connection::Connection;
use super::gpu_choice::{KnownAnswer, Requested, Verdict};
use crate::time::timeout;
use bytes::Bytes;
use device::OpenGpu;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use shared_model::config::ClipConfig;
use shared_model::gpu::VisionProgram;
use shared_model::weights::Weights;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tower::GpuTower;
use unavailable::Unavailable;
use wasm_bindgen_futures::spawn_local;

/// Seconds for opening the GPU and copying the weights.
const START_TIMEOUT_SECS: u32 = 60;

/// The GPU, while it is tried and when it computes.
pub struct Gpu {
    requested: Requested,
    start: Shared<LocalBoxFuture<'static, Result<Rc<GpuTower>, Unavailable>>>,
    is_checked: Cell<bool>,
    state: RefCell<State>,
}

enum State {
    /// wasm computes, and the GPU may later.
    Trying,
    Computing(Rc<GpuTower>),
    Unused(Unavailable),
}

impl Gpu {
    /// Starts to open the GPU and to copy the tower to it.
    pub fn start(connection: &Rc<Connection>, vision: Bytes, config: ClipConfig) -> Rc<Self> {
        let requested = Requested::of_query(&connection.scope.location().search());
        let scope = connection.scope.clone();
        let opened = async move {
            if requested == Requested::Wasm {
                return Err(Unavailable::Missing("The page's address asks for no GPU."));
            }
            let gpu = OpenGpu::open(&scope, requested == Requested::WebGpu).await?;
            // Whatever else were wrong with the weights, wasm has reported.
            let program =
                Weights::from_safetensors(vision).and_then(|vision| VisionProgram::load(&vision, &config));
            let program =
                program.map_err(|_| Unavailable::Missing("The GPU's kernels do not compute this model."))?;
            Ok(Rc::new(GpuTower::load(gpu, &program).await?))
        };
        let start = async move {
            let late = || Err(Unavailable::Failed(format!("it did not start within {START_TIMEOUT_SECS} seconds")));
            timeout(START_TIMEOUT_SECS, opened).await.unwrap_or_else(late)
        };
        let start = start.boxed_local().shared();
        let gpu = Self { requested, start, is_checked: Cell::new(false), state: RefCell::new(State::Trying) };
        let gpu = Rc::new(gpu);
        let starting = gpu.clone();
        spawn_local(async move {
            if let Err(unavailable) = starting.start.clone().await {
                starting.state.replace(State::Unused(unavailable));
            }
        });
        gpu
    }

    /// Computes the feature of a photo `[3, S, S]`, not of unit length; `None` if wasm has to.
    pub async fn feature(&self, pixel_values: &[f32]) -> Option<Vec<f32>> {
        let tower = match &*self.state.borrow() {
            State::Computing(tower) => tower.clone(),
            _ => return None,
        };
        match tower.feature(pixel_values).await.and_then(finite) {
            Ok(feature) => Some(feature),
            Err(unavailable) => {
                self.state.replace(State::Unused(unavailable));
                None
            }
        }
    }

    /// Gives the GPU a photo that wasm has computed, the first time. From then on the faster of the two computes.
    ///
    /// If the page's address requests the GPU, returns when that is decided: whether the GPU computes.
    pub async fn check(self: &Rc<Self>, known: KnownAnswer, now_millis: impl Fn() -> f64 + 'static) -> bool {
        if self.is_checked.replace(true) {
            return false;
        }
        let gpu = self.clone();
        let checking = async move {
            let state = match gpu.verdict(&known, now_millis).await {
                Ok(tower) => State::Computing(tower),
                Err(unavailable) => State::Unused(unavailable),
            };
            gpu.state.replace(state);
        };
        if self.requested != Requested::WebGpu {
            spawn_local(checking);
            return false;
        }
        checking.await;
        matches!(*self.state.borrow(), State::Computing(_))
    }

    async fn verdict(
        &self,
        known: &KnownAnswer,
        now_millis: impl Fn() -> f64,
    ) -> Result<Rc<GpuTower>, Unavailable> {
        let tower = self.start.clone().await?;
        // The first run may compile; the second one is timed.
        let first = finite(tower.feature(&known.pixel_values).await?)?;
        if let Verdict::Wrong { cosine } = known.verdict(&first, 0.0, self.requested) {
            return Err(wrong(cosine));
        }
        let started = now_millis();
        let second = tower.feature(&known.pixel_values).await?;
        match known.verdict(&second, now_millis() - started, self.requested) {
            Verdict::Use => Ok(tower),
            Verdict::Slower => Err(Unavailable::Slower),
            Verdict::Wrong { cosine } => Err(wrong(cosine)),
        }
    }

    /// Returns why the GPU is not used, as a sentence for the visitor, if it failed or was requested.
    pub fn note(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Unused(Unavailable::Failed(detail)) => Some(format!("The GPU is not used, because {detail}.")),
            State::Unused(Unavailable::Missing(sentence)) if self.requested == Requested::WebGpu => {
                Some((*sentence).into())
            }
            _ => None,
        }
    }
}

fn finite(feature: Vec<f32>) -> Result<Vec<f32>, Unavailable> {
    match feature.iter().all(|value| value.is_finite()) {
        true => Ok(feature),
        false => Err(Unavailable::Failed("it computes values that are no numbers".into())),
    }
}

fn wrong(cosine: f32) -> Unavailable {
    Unavailable::Failed(format!("it computes another answer than the processor (a cosine of {cosine:.4})"))
}
