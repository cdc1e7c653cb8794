// Starts the worker's program. Errors, those of promises too, reach the page as error events.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  setTimeout(() => {
    throw event.reason;
  });
});
// Tells the page that the start makes progress, so that it can distinguish a slow start from one that hangs.
function sendStarting() {
  postMessage(['{"request_id":0,"body":"starting"}']);
}
// Reads a clone: the browser finds its compiled code of the program by the original response.
async function reportDownload(clone) {
  const reader = clone.body.getReader();
  while (!(await reader.read()).done) sendStarting();
}
sendStarting();
importScripts("worker.js");
sendStarting();
const program = fetch("worker_bg.wasm");
program.then((response) => reportDownload(response.clone())).catch(() => {}); // the start below reports the error
wasm_bindgen({ module_or_path: program });
