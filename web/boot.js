// Runs before the program: says so if this browser cannot run it, or if it breaks down; chooses the build of the worker
// that this browser is fastest with; and has sw.js keep the page.
(() => {
  const root = document.documentElement;
  let isStarted = false;
  addEventListener("TrunkApplicationStarted", () => (isStarted = true));

  const say = (sentence) => {
    if (!document.body) return addEventListener("DOMContentLoaded", () => say(sentence));
    document.querySelector("#boot [role=status]")?.remove();
    if (document.getElementById("broken")) return;
    const notice = document.createElement("div");
    notice.id = "broken";
    notice.className = "notice";
    notice.dataset.testid = "notice";
    notice.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = sentence;
    const button = document.createElement("button");
    button.className = "button";
    button.dataset.testid = "retry";
    button.textContent = "Load the page again";
    button.addEventListener("click", () => location.reload());
    notice.append(text, button);
    document.body.prepend(notice);
  };

  // The smallest module with a SIMD instruction (i8x16.splat).
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  const missing = [
    typeof Worker === "function" || "Web Workers",
    (typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(simd))) || "WebAssembly SIMD",
  ].filter((found) => found !== true);
  if (missing.length > 0) {
    root.dataset.unsupported = missing.join(" and ");
    say(`This browser lacks ${root.dataset.unsupported}, which the model needs. Use a current Chrome, Edge, Firefox or Safari.`);
    return;
  }

  // Builds are named in workers.sh. Threads share memory, which a browser allows only on a page that is isolated from
  // other sites: one that `dermake serve` sends, but not every host. `?build=` asks for a certain one.
  // A module with one relaxed instruction (i32x4.relaxed_dot_i8x16_i7x16_add_s).
  const relaxed = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2,
    253, 147, 2, 11,
  ];
  const hasRelaxed = WebAssembly.validate(new Uint8Array(relaxed));
  const hasThreads = globalThis.crossOriginIsolated === true && navigator.hardwareConcurrency > 1;
  const best = [hasThreads && "threads", hasRelaxed && "relaxed"].filter(Boolean).join("_") || "plain";
  const asked = new URLSearchParams(location.search).get("build");
  const build = ["plain", "relaxed", "threads", "threads_relaxed"].includes(asked) ? asked : best;
  root.dataset.build = build;

  // Once the program runs, only its own breakdown ends it; before that, anything that fails does, files included.
  const onFailure = (cause) => {
    if (!isStarted) say("The page could not start: a part of it did not arrive. Check the network, then load it again.");
    else if (cause instanceof WebAssembly.RuntimeError) say("The page stopped unexpectedly. Load it again to go on.");
  };
  addEventListener("error", (event) => onFailure(event.error), true);
  addEventListener("unhandledrejection", (event) => onFailure(event.reason));

  addEventListener("load", async () => {
    // Absent where the page came over plain HTTP from another machine: it then works, but only with the network.
    if (!navigator.serviceWorker) return;
    try {
      await navigator.serviceWorker.register(`sw.js?build=${build}`);
      await navigator.serviceWorker.ready;
      root.dataset.kept = "";
      dispatchEvent(new Event("dermake:kept"));
    } catch (error) {
      console.warn("this page is not kept for offline use:", error);
    }
  });
})();
