// One thread of the worker's pool: the worker's own program on the worker's own memory. See worker/pool.rs.
self.isPoolThread = true;
importScripts("worker.js");
onmessage = async ({ data: [module, memory, jobs] }) => {
  await wasm_bindgen({ module_or_path: module, memory });
  postMessage("ready");
  wasm_bindgen.run_thread(jobs);
};
