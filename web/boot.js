// Runs before the program: says so if this browser cannot run it, or if it breaks down; chooses the builds of the worker
// to try in this browser; and has sw.js keep the page.
(() => {
  const root = document.documentElement;
  const version = document.querySelector("meta[name=version]").content;
  let isStarted = false;
  addEventListener("TrunkApplicationStarted", () => (isStarted = true));

  // sw.js keeps the files of every version that a tab holds such a lock for.
  navigator.locks?.request(`dermake-page-${version}`, { mode: "shared" }, () => new Promise(() => {})).catch(() => {});

  // A later sentence takes the place of an earlier one.
  const say = (sentence) => {
    if (!document.body) return addEventListener("DOMContentLoaded", () => say(sentence));
    document.querySelector("#boot [role=status]")?.remove();
    document.getElementById("late")?.remove();
    document.getElementById("broken")?.remove();
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
  const withoutThreads = WebAssembly.validate(new Uint8Array(relaxed)) ? "relaxed" : "plain";
  const withThreads = withoutThreads === "relaxed" ? "threads_relaxed" : "threads";
  const hasThreads = globalThis.crossOriginIsolated === true && navigator.hardwareConcurrency > 1 && !areThreadsAvoided();
  const best = hasThreads ? withThreads : withoutThreads;
  const asked = new URLSearchParams(location.search).get("build");
  const isKnown = ["plain", "relaxed", "threads", "threads_relaxed"].includes(asked);
  // The program takes the first that starts, and writes it into data-build.
  root.dataset.builds = [...new Set([...(isKnown ? [asked] : []), best, withoutThreads])].join(" ");

  // The program writes the time here when a build with threads did not start: for a day, none is tried.
  function areThreadsAvoided() {
    try {
      const age = Date.now() - Number(localStorage.getItem("dermake-threads-failed"));
      return age >= 0 && age < 86_400_000;
    } catch {
      return false; // storage is blocked
    }
  }

  // Once the program runs, only its own breakdown ends it; before that, anything that fails does, files included.
  const onFailure = (cause) => {
    if (!isStarted) {
      say("The page could not start: a part of it did not arrive. Check the network, then load it again.");
      sayWhatIsWrong().catch(() => {}); // the sentence above stays
    } else if (cause instanceof WebAssembly.RuntimeError) say("The page stopped unexpectedly. Load it again to go on.");
  };
  addEventListener("error", (event) => onFailure(event.error), true);
  addEventListener("unhandledrejection", (event) => onFailure(event.reason));

  // Which file came as something else, for whoever runs the server.
  async function sayWhatIsWrong() {
    for (const { href } of document.querySelectorAll("link[rel=modulepreload], link[rel=preload]")) {
      const response = await fetch(href, { method: "HEAD" });
      const [file, type] = [href.split("/").pop(), response.headers.get("content-type") ?? "no type"];
      const expected = file.endsWith(".js") ? "text/javascript" : "application/wasm";
      if (response.ok && type.startsWith(expected)) continue;
      const came = response.ok ? `the server sends it as ${type} instead of ${expected}` : `the server answers ${response.status}`;
      say(`The page could not start: ${file} did not arrive (${came}). Load the page again, now or later.`);
      return;
    }
  }
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    const isOfProgram = /^(script|worker|child|connect|default)-src/.test(effectiveDirective);
    if (isStarted || !isOfProgram || root.dataset.blocked) return;
    root.dataset.blocked = effectiveDirective;
    const sentence = `The page could not start: the Content-Security-Policy it came with forbids a part of it (${effectiveDirective}: ${blockedURI}). Whoever runs this server can allow it.`;
    // Some are harmless: the program may start all the same.
    setTimeout(() => isStarted || say(sentence), 1_000);
  });

  // Kept once the model's program runs: nothing then changes under a program that starts.
  addEventListener("dermake:started", async () => {
    // Absent where the page came over plain HTTP from another machine: it then works, but only with the network.
    if (!navigator.serviceWorker) return;
    const build = root.dataset.build === asked ? best : root.dataset.build;
    try {
      // What is known needs no network; registering may have to wait for one.
      follow((await navigator.serviceWorker.getRegistration())?.active);
      const registration = await navigator.serviceWorker.register(`sw.js?build=${build}`);
      registration.addEventListener("updatefound", () => follow(registration.installing));
      for (const worker of [registration.installing, registration.waiting, registration.active]) follow(worker);
    } catch (error) {
      console.warn("this page is not kept for offline use:", error);
    }
  });

  // Asks a service worker, once it is active, whether everything is kept.
  async function follow(worker) {
    if (!worker) return;
    while (worker.state !== "activated") {
      if (worker.state === "redundant") return;
      await new Promise((changed) => worker.addEventListener("statechange", changed, { once: true }));
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: isKept }) => {
      port1.close();
      if (isKept !== true) return;
      root.dataset.kept = "";
      dispatchEvent(new Event("dermake:kept"));
    };
    worker.postMessage("is the next visit kept?", [port2]);
  }
})();
