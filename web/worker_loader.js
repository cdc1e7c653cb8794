// Starts the worker's program. What goes wrong here or in a promise reaches the page as an error event, like the rest.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  setTimeout(() => {
    throw event.reason;
  });
});
importScripts("worker.js");
wasm_bindgen({ module_or_path: "worker_bg.wasm" });
