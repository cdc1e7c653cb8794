//! The parts of the browser's WebGPU that the executor calls. Every call that can fail returns a `Result`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `navigator.gpu`
    pub type Gpu;
    #[wasm_bindgen(method, catch, js_name = requestAdapter)]
    pub fn request_adapter(this: &Gpu, options: &js_sys::Object) -> Result<js_sys::Promise, JsValue>;

    pub type Adapter;
    #[wasm_bindgen(method, getter)]
    pub fn info(this: &Adapter) -> JsValue;
    #[wasm_bindgen(method, catch, js_name = requestDevice)]
    pub fn request_device(this: &Adapter) -> Result<js_sys::Promise, JsValue>;

    #[derive(Clone)]
    pub type Device;
    #[wasm_bindgen(method, getter)]
    pub fn queue(this: &Device) -> Queue;
    #[wasm_bindgen(method, getter)]
    pub fn limits(this: &Device) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub fn lost(this: &Device) -> js_sys::Promise;
    #[wasm_bindgen(method, js_name = pushErrorScope)]
    pub fn push_error_scope(this: &Device, filter: &str);
    #[wasm_bindgen(method, catch, js_name = popErrorScope)]
    pub fn pop_error_scope(this: &Device) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createBuffer)]
    pub fn create_buffer(this: &Device, descriptor: &js_sys::Object) -> Result<Buffer, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createShaderModule)]
    pub fn create_shader_module(this: &Device, descriptor: &js_sys::Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createBindGroupLayout)]
    pub fn create_bind_group_layout(this: &Device, descriptor: &js_sys::Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createPipelineLayout)]
    pub fn create_pipeline_layout(this: &Device, descriptor: &js_sys::Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createComputePipelineAsync)]
    pub fn create_compute_pipeline(this: &Device, descriptor: &js_sys::Object) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createBindGroup)]
    pub fn create_bind_group(this: &Device, descriptor: &js_sys::Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createCommandEncoder)]
    pub fn create_command_encoder(this: &Device) -> Result<CommandEncoder, JsValue>;
    #[wasm_bindgen(method)]
    pub fn destroy(this: &Device);

    pub type Queue;
    #[wasm_bindgen(method, catch, js_name = writeBuffer)]
    pub fn write_buffer(this: &Queue, buffer: &Buffer, offset: f64, bytes: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn submit(this: &Queue, commands: &js_sys::Array) -> Result<(), JsValue>;

    pub type Buffer;
    #[wasm_bindgen(method, catch, js_name = mapAsync)]
    pub fn map_async(this: &Buffer, mode: u32) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getMappedRange)]
    pub fn mapped_range(this: &Buffer) -> Result<js_sys::ArrayBuffer, JsValue>;
    #[wasm_bindgen(method)]
    pub fn unmap(this: &Buffer);

    pub type CommandEncoder;
    #[wasm_bindgen(method, catch, js_name = beginComputePass)]
    pub fn begin_compute_pass(this: &CommandEncoder) -> Result<ComputePass, JsValue>;
    #[wasm_bindgen(method, catch, js_name = copyBufferToBuffer)]
    pub fn copy_buffer(
        this: &CommandEncoder,
        from: &Buffer,
        from_offset: f64,
        to: &Buffer,
        to_offset: f64,
        n_bytes: f64,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn finish(this: &CommandEncoder) -> Result<JsValue, JsValue>;

    pub type ComputePass;
    #[wasm_bindgen(method, js_name = setPipeline)]
    pub fn set_pipeline(this: &ComputePass, pipeline: &JsValue);
    #[wasm_bindgen(method, js_name = setBindGroup)]
    pub fn set_bind_group(this: &ComputePass, index: u32, group: &JsValue);
    #[wasm_bindgen(method, js_name = dispatchWorkgroups)]
    pub fn dispatch_workgroups(this: &ComputePass, x: u32, y: u32, z: u32);
    #[wasm_bindgen(method)]
    pub fn end(this: &ComputePass);
}

/// Values of `GPUBufferUsage`.
pub mod usage {
    pub const MAP_READ: u32 = 0x1;
    pub const COPY_SRC: u32 = 0x4;
    pub const COPY_DST: u32 = 0x8;
    pub const UNIFORM: u32 = 0x40;
    pub const STORAGE: u32 = 0x80;
}

/// `GPUMapMode.READ`
pub const MAP_READ: u32 = 1;
/// `GPUShaderStage.COMPUTE`
pub const COMPUTE: u32 = 4;

/// Creates an object with these properties.
pub fn object<const N: usize>(properties: [(&str, JsValue); N]) -> js_sys::Object {
    let object = js_sys::Object::new();
    for (name, value) in properties {
        // It fails for objects that are frozen only.
        let _ = js_sys::Reflect::set(&object, &name.into(), &value);
    }
    object
}

/// Returns a property, `undefined` if there is none.
pub fn property(of: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(of, &name.into()).unwrap_or_default()
}
