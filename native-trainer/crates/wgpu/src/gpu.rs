//! An open GPU: its queue, and the compiled kernels.

use crate::error::one_line;
use crate::{Error, Result, adapter};
use shared_model::gpu::Kernel;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, Buffer, BufferBindingType,
    BufferDescriptor, BufferUsages, ComputePipeline, ComputePipelineDescriptor, Device, DeviceDescriptor,
    DeviceType, ErrorFilter, Limits, PipelineLayoutDescriptor, PollType, Queue, ShaderModuleDescriptor,
    ShaderSource, ShaderStages,
};

/// An open GPU.
pub struct Gpu {
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    pipelines: HashMap<Kernel, Pipeline>,
    name: String,
    is_software: bool,
    /// Why the device was lost, once it is.
    lost: Arc<Mutex<Option<String>>>,
}

/// A compiled kernel.
pub(crate) struct Pipeline {
    pub pipeline: ComputePipeline,
    pub layout: BindGroupLayout,
}

impl Gpu {
    /// Opens a GPU by its number, and compiles all kernels.
    ///
    /// # Errors
    /// - [`Error::NoAdapter`] and [`Error::NoSuchAdapter`]: the machine has no GPU with this number.
    /// - [`Error::TooSmall`]: the GPU has less than the default limits.
    /// - [`Error::Failed`]: the driver cannot open it for another reason.
    /// - [`Error::Kernel`], [`Error::OutOfMemory`] and [`Error::Lost`]: the driver cannot compile a kernel.
    pub fn open(index: usize) -> Result<Self> {
        let adapter = adapter::choose(adapter::adapters(), index)?;
        let info = adapter.get_info();
        let name = adapter::name(&info);
        // Those that every implementation of WebGPU has, which is what the kernels are written for.
        let limits = Limits::default();
        let is_large_enough = limits.check_limits(&adapter.limits());
        let descriptor = DeviceDescriptor { required_limits: limits, ..DeviceDescriptor::default() };
        let opened = pollster::block_on(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|err| {
            let detail = one_line(&err.to_string());
            if is_large_enough { Error::Failed { detail } } else { Error::TooSmall { gpu: name.clone(), detail } }
        })?;
        let lost = Arc::new(Mutex::new(None));
        let reason = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, detail| {
            *reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(detail);
        });
        // By default they panic. Those of a device that works are in the scopes of `checked`; those of a lost one follow
        // from the loss.
        device.on_uncaptured_error(Arc::new(|_| {}));
        let is_software = info.device_type == DeviceType::Cpu;
        let mut gpu = Self { device, queue, pipelines: HashMap::new(), name, is_software, lost };
        for kernel in Kernel::ALL {
            let compiled = gpu.checked(|gpu| gpu.compile(kernel)).map_err(|err| match err {
                Error::Failed { detail } => Error::Kernel { kernel: kernel.name(), detail },
                err => err,
            })?;
            gpu.pipelines.insert(kernel, compiled);
        }
        Ok(gpu)
    }

    /// Returns its name and the interface to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether it runs on the CPU, such as Mesa's lavapipe.
    pub fn is_software(&self) -> bool {
        self.is_software
    }

    /// Makes the GPU unusable, as a driver that crashes does.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Returns the most bytes of one buffer of a kernel.
    pub(crate) fn most_bytes(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    pub(crate) fn pipeline(&self, kernel: Kernel) -> &Pipeline {
        &self.pipelines[&kernel]
    }

    /// Creates a storage buffer.
    pub(crate) fn storage(&self, label: &str, n_bytes: u64) -> Buffer {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
        self.buffer(label, n_bytes, usage)
    }

    pub(crate) fn buffer(&self, label: &str, size: u64, usage: BufferUsages) -> Buffer {
        self.device.create_buffer(&BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
    }

    /// Does something on the device, and returns the first error that it reports.
    pub(crate) fn checked<T>(&self, work: impl FnOnce(&Self) -> T) -> Result<T> {
        let filters = [ErrorFilter::OutOfMemory, ErrorFilter::Validation, ErrorFilter::Internal];
        let scopes = filters.map(|filter| self.device.push_error_scope(filter));
        let result = work(self);
        // The scopes are a stack: the last one is taken first.
        let errors: Vec<_> = scopes.into_iter().rev().filter_map(|scope| pollster::block_on(scope.pop())).collect();
        self.check_lost()?;
        match errors.into_iter().next() {
            Some(err) => Err(err.into()),
            None => Ok(result),
        }
    }

    /// Fails if the device was lost.
    pub(crate) fn check_lost(&self) -> Result<()> {
        // It is reported by a poll.
        let _ = self.device.poll(PollType::Poll);
        match &*self.lost.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(detail) => Err(Error::Lost { detail: one_line(detail) }),
            None => Ok(()),
        }
    }

    fn compile(&self, kernel: Kernel) -> Pipeline {
        let label = Some(kernel.name());
        let source = ShaderSource::Wgsl(kernel.source().into());
        let module = self.device.create_shader_module(ShaderModuleDescriptor { label, source });
        let (n_read, n_written) = kernel.n_buffers();
        let entry = |binding: usize| BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: ShaderStages::COMPUTE,
            ty: BindingType::Buffer {
                ty: match binding {
                    0 => BufferBindingType::Uniform,
                    _ => BufferBindingType::Storage { read_only: binding <= n_read },
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = (0..=n_read + n_written).map(entry).collect();
        let layout = self.device.create_bind_group_layout(&BindGroupLayoutDescriptor { label, entries: &entries });
        let bind_group_layouts = &[Some(&layout)];
        let pipeline_layout = self.device.create_pipeline_layout(&PipelineLayoutDescriptor {
            label,
            bind_group_layouts,
            ..PipelineLayoutDescriptor::default()
        });
        let pipeline = self.device.create_compute_pipeline(&ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: Default::default(),
            cache: None,
        });
        Pipeline { pipeline, layout }
    }
}
