//! The GPU: opened, with compiled kernels, and its failures as sentences.

use super::bindings::{Adapter, COMPUTE, Device, Gpu, Queue, object, property};
use super::unavailable::Unavailable;
use crate::time::sleep;
use shared_model::gpu::Kernel;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::DedicatedWorkerGlobalScope;

/// A step on the GPU, or why the GPU is not used.
pub type Result<T> = std::result::Result<T, Unavailable>;

/// An open GPU.
pub struct OpenGpu {
    pub device: Device,
    pub queue: Queue,
    pipelines: HashMap<Kernel, Pipeline>,
    /// Why the device was lost, once it is.
    lost: Rc<RefCell<Option<String>>>,
}

/// A compiled kernel.
pub struct Pipeline {
    pub pipeline: JsValue,
    pub layout: JsValue,
}

impl OpenGpu {
    /// Opens the browser's GPU and compiles all kernels, without blocking this thread.
    ///
    /// `takes_software`: whether one that runs on the CPU will do.
    pub async fn open(scope: &DedicatedWorkerGlobalScope, takes_software: bool) -> Result<Self> {
        let gpu = property(&scope.navigator(), "gpu");
        if gpu.is_undefined() {
            return Err(Unavailable::Missing("This browser has no WebGPU."));
        }
        let options = object([("powerPreference", "high-performance".into())]);
        let adapter = gpu.unchecked_into::<Gpu>().request_adapter(&options).map_err(failed)?;
        let adapter = JsFuture::from(adapter).await.map_err(failed)?;
        if adapter.is_null() {
            return Err(Unavailable::Missing("The browser offers no GPU."));
        }
        let adapter: Adapter = adapter.unchecked_into();
        // Where the property is depends on the browser's version.
        let is_software =
            [&adapter.info(), adapter.as_ref()].map(|of| property(of, "isFallbackAdapter").is_truthy());
        if !takes_software && is_software.contains(&true) {
            return Err(Unavailable::Missing("The browser's GPU is emulated."));
        }
        let device = JsFuture::from(adapter.request_device().map_err(failed)?).await.map_err(failed)?;
        let device: Device = device.unchecked_into();
        let lost = watch(&device);
        let mut opened = Self { queue: device.queue(), device, pipelines: HashMap::new(), lost };
        for kernel in Kernel::ALL {
            let pipeline = opened.compile(kernel).await.map_err(|err| match err {
                Unavailable::Failed(detail) => {
                    Unavailable::Failed(format!("its driver does not compile {}: {detail}", kernel.name()))
                }
                err => err,
            })?;
            opened.pipelines.insert(kernel, pipeline);
        }
        Ok(opened)
    }

    pub fn pipeline(&self, kernel: Kernel) -> &Pipeline {
        &self.pipelines[&kernel]
    }

    /// Returns the most bytes of a buffer that a kernel reads.
    pub fn most_bytes(&self) -> u64 {
        let limits = self.device.limits();
        let limit = |name| property(&limits, name).as_f64().unwrap_or_default();
        limit("maxStorageBufferBindingSize").min(limit("maxBufferSize")) as u64
    }

    /// Does something on the device, and fails with the first error that the device reports.
    pub async fn checked<T>(&self, work: impl FnOnce() -> std::result::Result<T, JsValue>) -> Result<T> {
        let filters = ["out-of-memory", "validation", "internal"];
        filters.iter().for_each(|filter| self.device.push_error_scope(filter));
        let result = work();
        let mut first = None;
        for _ in filters {
            match self.pop_error_scope().await {
                Ok(error) if error.is_object() => first = first.or(Some(error)),
                Ok(_) => {}
                Err(err) => return Err(self.failure(err).await),
            }
        }
        match (result, first) {
            (Ok(result), None) if self.lost.borrow().is_none() => Ok(result),
            (Err(err), _) | (Ok(_), Some(err)) => Err(self.failure(err).await),
            (Ok(_), None) => Err(self.failure(JsValue::UNDEFINED).await),
        }
    }

    async fn pop_error_scope(&self) -> std::result::Result<JsValue, JsValue> {
        JsFuture::from(self.device.pop_error_scope()?).await
    }

    /// Returns why something failed: the loss of the device, if it is lost.
    pub async fn failure(&self, err: JsValue) -> Unavailable {
        sleep(0).await; // the browser reports the loss after the failure that it causes
        match &*self.lost.borrow() {
            Some(detail) => Unavailable::Failed(format!("it was lost: {}", sentence_part(detail))),
            None => failed(err),
        }
    }

    async fn compile(&self, kernel: Kernel) -> Result<Pipeline> {
        let (n_read, n_written) = kernel.n_buffers();
        let entries = js_sys::Array::new();
        for binding in 0..=n_read + n_written {
            let kind = match binding {
                0 => "uniform",
                _ if binding <= n_read => "read-only-storage",
                _ => "storage",
            };
            entries.push(&object([
                ("binding", (binding as u32).into()),
                ("visibility", COMPUTE.into()),
                ("buffer", object([("type", kind.into())]).into()),
            ]));
        }
        let label = || ("label", JsValue::from(kernel.name()));
        let device = &self.device;
        let started = self.checked(|| {
            let module = device.create_shader_module(&object([label(), ("code", kernel.source().into())]))?;
            let layout = device.create_bind_group_layout(&object([label(), ("entries", entries.into())]))?;
            let layouts = js_sys::Array::of1(&layout);
            let pipeline_layout = device.create_pipeline_layout(&object([("bindGroupLayouts", layouts.into())]))?;
            let compute = object([("module", module), ("entryPoint", "main".into())]);
            let descriptor = object([label(), ("layout", pipeline_layout), ("compute", compute.into())]);
            // A future from the start: a promise that nobody waits for when it fails is an error of the whole worker.
            Ok((JsFuture::from(device.create_compute_pipeline(&descriptor)?), layout))
        });
        let (pipeline, layout) = started.await?;
        match pipeline.await {
            Ok(pipeline) => Ok(Pipeline { pipeline, layout }),
            Err(err) => Err(self.failure(err).await),
        }
    }
}

impl Drop for OpenGpu {
    fn drop(&mut self) {
        self.device.destroy();
    }
}

/// Notes why the device was lost, once it is.
fn watch(device: &Device) -> Rc<RefCell<Option<String>>> {
    let lost = Rc::new(RefCell::new(None));
    let (noted, promise) = (lost.clone(), device.lost());
    spawn_local(async move {
        if let Ok(info) = JsFuture::from(promise).await {
            *noted.borrow_mut() = Some(property(&info, "message").as_string().unwrap_or_default());
        }
    });
    lost
}

/// The browser's words about a failure.
fn failed(err: JsValue) -> Unavailable {
    let message = property(&err, "message").as_string().or_else(|| err.as_string());
    Unavailable::Failed(sentence_part(&message.unwrap_or_default()))
}

/// The first line of a message of the browser, without its full stop.
fn sentence_part(message: &str) -> String {
    match message.lines().next().unwrap_or_default().trim_end_matches('.') {
        "" => "the browser gives no reason".into(),
        line => line.into(),
    }
}
