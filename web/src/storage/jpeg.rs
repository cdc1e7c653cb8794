//! Makes a photo small enough to keep: the browser encodes its pixels as JPEG.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

const QUALITY: f64 = 0.9;

#[wasm_bindgen]
extern "C" {
    type ImageBitmap;
    #[wasm_bindgen(method, getter)]
    fn width(this: &ImageBitmap) -> u32;
    #[wasm_bindgen(method, getter)]
    fn height(this: &ImageBitmap) -> u32;

    #[wasm_bindgen(catch, js_name = createImageBitmap)]
    fn create_image_bitmap(picture: &Blob) -> Result<js_sys::Promise, JsValue>;

    type OffscreenCanvas;
    #[wasm_bindgen(constructor, catch)]
    fn new(width: u32, height: u32) -> Result<OffscreenCanvas, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getContext)]
    fn get_context(this: &OffscreenCanvas, kind: &str) -> Result<Context, JsValue>;
    #[wasm_bindgen(method, catch, js_name = convertToBlob)]
    fn convert_to_blob(this: &OffscreenCanvas, options: &js_sys::Object) -> Result<js_sys::Promise, JsValue>;

    type Context;
    #[wasm_bindgen(method, catch, js_name = drawImage)]
    fn draw_image(this: &Context, image: &ImageBitmap, x: f64, y: f64) -> Result<(), JsValue>;
}

/// Encodes a picture as JPEG, about a tenth of the PNG; `None` in browsers that cannot.
pub async fn encode(picture: &Blob) -> Option<Blob> {
    let image: ImageBitmap = JsFuture::from(create_image_bitmap(picture).ok()?).await.ok()?.unchecked_into();
    let canvas = OffscreenCanvas::new(image.width(), image.height()).ok()?;
    canvas.get_context("2d").ok()?.draw_image(&image, 0.0, 0.0).ok()?;
    let options = js_sys::Object::new();
    for (name, value) in [("type", JsValue::from("image/jpeg")), ("quality", JsValue::from(QUALITY))] {
        js_sys::Reflect::set(&options, &name.into(), &value).ok()?;
    }
    JsFuture::from(canvas.convert_to_blob(&options).ok()?).await.ok()?.dyn_into().ok()
}
