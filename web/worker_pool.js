// A thread of the worker's pool: the worker's program on the worker's memory. See worker/pool.rs.
self.isPoolThread = true;
importScripts("worker.js");
onmessage = async ({ data: [module, memory, jobs] }) => {
  await wasm_bindgen({ module_or_path: module, memory });
  postMessage("ready");
  wasm_bindgen.run_thread(jobs);
};
