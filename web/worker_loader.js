// Starts the worker's program. What goes wrong here or in a promise reaches the page as an error event, like the rest.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  setTimeout(() => {
    throw event.reason;
  });
});
// Tells the page that the start goes on, so that it can tell a slow one from one that hangs.
function tellStarting() {
  postMessage(['{"request_id":0,"body":{"kind":"starting"}}']);
}
// Reads a copy: what the browser has compiled of the program before, it finds by the answer itself.
async function tellWhileItArrives(copy) {
  const reader = copy.body.getReader();
  while (!(await reader.read()).done) tellStarting();
}
tellStarting();
importScripts("worker.js");
tellStarting();
const program = fetch("worker_bg.wasm");
program.then((response) => tellWhileItArrives(response.clone())).catch(() => {}); // the program's own start says it
wasm_bindgen({ module_or_path: program });
