//! Encodes pictures as JPEG with the browser's canvas.

use crate::crop::PhotoSize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlVideoElement};

const QUALITY: f64 = 0.9;
/// A color to draw and read back.
const PROBE: [u8; 3] = [36, 104, 172];
/// Side of the square of this color.
const PROBE_SIDE: u32 = 8;
/// How far the color may be off. Some browsers change the lowest bit of some pixels, which no model sees.
const PROBE_TOLERANCE: u8 = 2;

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
    fn draw_image(this: &Context, picture: &JsValue, x: f64, y: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, setter, js_name = fillStyle)]
    fn set_fill_style(this: &Context, style: &str);
    #[wasm_bindgen(method, catch, js_name = fillRect)]
    fn fill_rect(this: &Context, x: u32, y: u32, width: u32, height: u32) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = getImageData)]
    fn get_image_data(this: &Context, x: u32, y: u32, width: u32, height: u32) -> Result<ImageData, JsValue>;

    type ImageData;
    #[wasm_bindgen(method, getter)]
    fn data(this: &ImageData) -> js_sys::Uint8ClampedArray;
}

/// Encodes a picture as JPEG, about a tenth of the PNG; `None` in browsers that cannot.
pub async fn jpeg(picture: &Blob) -> Option<Blob> {
    let image: ImageBitmap = JsFuture::from(create_image_bitmap(picture).ok()?).await.ok()?.unchecked_into();
    let size = PhotoSize { width: image.width(), height: image.height() };
    encode(&image, size).await
}

/// Encodes what a video shows now; `None` in browsers that cannot.
pub async fn jpeg_of_video(video: &HtmlVideoElement, size: PhotoSize) -> Option<Blob> {
    encode(video, size).await
}

async fn encode(picture: &JsValue, size: PhotoSize) -> Option<Blob> {
    let canvas = OffscreenCanvas::new(size.width, size.height).ok()?;
    let context = canvas.get_context("2d").ok()?;
    context.draw_image(picture, 0.0, 0.0).ok()?;
    if !gives_back_what_is_drawn() {
        return None;
    }
    let options = js_sys::Object::new();
    for (name, value) in [("type", JsValue::from("image/jpeg")), ("quality", JsValue::from(QUALITY))] {
        js_sys::Reflect::set(&options, &name.into(), &value).ok()?;
    }
    JsFuture::from(canvas.convert_to_blob(&options).ok()?).await.ok()?.dyn_into().ok()
}

/// Whether canvases give back what is drawn on them. Against fingerprinting, some browsers give noise or white to pages.
fn gives_back_what_is_drawn() -> bool {
    let probe = || {
        let context = OffscreenCanvas::new(PROBE_SIDE, PROBE_SIDE).ok()?.get_context("2d").ok()?;
        let [red, green, blue] = PROBE;
        context.set_fill_style(&format!("rgb({red} {green} {blue})"));
        context.fill_rect(0, 0, PROBE_SIDE, PROBE_SIDE).ok()?;
        Some(context.get_image_data(0, 0, PROBE_SIDE, PROBE_SIDE).ok()?.data().to_vec())
    };
    probe().is_some_and(|pixels| {
        let is_near = |pixel: &[u8]| PROBE.iter().zip(pixel).all(|(a, b)| a.abs_diff(*b) <= PROBE_TOLERANCE);
        pixels.chunks(4).all(is_near)
    })
}
