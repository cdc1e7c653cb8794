// Runs before the program: shows a message if this browser cannot run it or if it fails, lists the builds of the worker to
// try in this browser, and registers sw.js.
(() => {
  const root = document.documentElement;
  const version = document.querySelector("meta[name=version]").content;
  let isStarted = false;
  addEventListener("TrunkApplicationStarted", () => {
    if (root.dataset.unsupported) return; // the program has ended at once: the message stays
    isStarted = true;
    document.getElementById("failure")?.remove(); // whatever failed, the page works
  });

  const folder = new URL("./", document.baseURI);

  // Browser extensions and hosts add scripts of their own, whose faults are not the page's.
  const isOurs = (url) => typeof url !== "string" || url === "" || url.startsWith(folder.href);

  // While a tab holds this lock, sw.js keeps the files of its version.
  const lock = `dermake-page ${folder.pathname} ${version}`;
  navigator.locks?.request(lock, { mode: "shared" }, () => new Promise(() => {})).catch(() => {});

  // Shows a message, replacing an earlier one.
  const showMessage = (message) => {
    if (!document.body) return addEventListener("DOMContentLoaded", () => showMessage(message));
    document.querySelector("#boot [role=status]")?.remove();
    document.getElementById("slow-start")?.remove();
    document.getElementById("failure")?.remove();
    const notice = document.createElement("div");
    notice.id = "failure";
    notice.className = "notice";
    notice.dataset.testid = "notice";
    notice.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = message;
    const button = document.createElement("button");
    button.className = "button";
    button.dataset.testid = "retry";
    button.textContent = "Reload the page";
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
    showMessage(`This browser lacks ${root.dataset.unsupported}, which the model needs. Use a current Chrome, Edge, Firefox or Safari.`);
    return;
  }

  // The builds have the names of workers.sh. Threads share memory, which browsers allow only on pages that are isolated
  // from other sites; `dermake serve` sends the headers for that. On other hosts sw.js adds them, from the second visit on.
  // `?build=` requests a build.
  // A module with one relaxed instruction (i32x4.relaxed_dot_i8x16_i7x16_add_s).
  const relaxed = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2,
    253, 147, 2, 11,
  ];
  const existing = document.querySelector("meta[name=builds]").content.split(" "); // by default, all
  const hasRelaxed = existing.includes("relaxed") && WebAssembly.validate(new Uint8Array(relaxed));
  const [withoutThreads, withThreads] = hasRelaxed ? ["relaxed", "threads_relaxed"] : ["plain", "threads"];
  const canUseThreads = existing.includes(withThreads) && navigator.hardwareConcurrency > 1 && !shouldAvoidThreads();
  const best = canUseThreads && globalThis.crossOriginIsolated === true ? withThreads : withoutThreads;
  const requested = new URLSearchParams(location.search).get("build");
  // Without isolation threads would fail, and then be avoided for a day.
  const isKnown = existing.includes(requested) && (globalThis.crossOriginIsolated || !requested.startsWith("threads"));
  // The page uses the first build that starts, and writes its name to data-build.
  root.dataset.builds = [...new Set([...(isKnown ? [requested] : []), best, withoutThreads])].join(" ");

  // The page stores the time when a build with threads did not start; no such build is tried for a day.
  function shouldAvoidThreads() {
    try {
      const age = Date.now() - Number(localStorage.getItem("dermake-threads-failed"));
      return age >= 0 && age < 86_400_000;
    } catch {
      return false; // storage is blocked
    }
  }

  // Before the program has started, any error is fatal, such as a missing file; after that, only its own crash.
  const onFailure = (cause) => {
    if (!isStarted) {
      showMessage("The page could not start: one of its files could not be loaded. Check the network, then reload the page.");
      findFaultyFile().catch(() => {}); // the message above stays
    } else if (cause instanceof WebAssembly.RuntimeError) showMessage("The page stopped unexpectedly. Reload it to continue.");
  };
  addEventListener("error", ({ target, filename, error }) => isOurs(target?.src ?? target?.href ?? filename) && onFailure(error), true);
  addEventListener("unhandledrejection", (event) => onFailure(event.reason));

  // Finds the file that the server sends wrongly, and shows it.
  async function findFaultyFile() {
    for (const { href } of document.querySelectorAll("link[rel=modulepreload], link[rel=preload]")) {
      const response = await fetch(href, { method: "HEAD" });
      const [file, type] = [href.split("/").pop(), response.headers.get("content-type") ?? "no type"];
      const [expected, isUsable] = file.endsWith(".js") ? ["text/javascript", /javascript/] : ["application/wasm", /^application\/wasm/];
      if (response.ok && isUsable.test(type)) continue;
      const problem = response.ok ? `the server sends it as ${type} instead of ${expected}` : `the server answers ${response.status}`;
      showMessage(`The page could not start: ${file} could not be loaded (${problem}). Reload the page, now or later.`);
      return;
    }
  }
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    const concernsProgram = /^(script|worker|child|connect|default)-src/.test(effectiveDirective);
    const isForeign = blockedURI.includes(":") && !isOurs(blockedURI); // not an address: inline, eval, wasm-eval
    if (isStarted || !concernsProgram || isForeign || root.dataset.blocked) return;
    root.dataset.blocked = effectiveDirective;
    const message = `The page could not start: the server's Content-Security-Policy forbids a part of it (${effectiveDirective}: ${blockedURI}). The administrator of the server can allow it.`;
    // The program may start despite a violation.
    setTimeout(() => isStarted || showMessage(message), 1_000);
  });

  // The service worker is registered after the worker has started, so that no file changes during its start.
  addEventListener("dermake:started", async () => {
    // Missing if the page came over plain HTTP from another machine: it then needs the network.
    if (!navigator.serviceWorker) return;
    const build = root.dataset.build === requested ? best : root.dataset.build;
    // On a page that is not isolated yet, the build with threads is for the next visit.
    const next = canUseThreads && globalThis.crossOriginIsolated === false ? withThreads : build;
    const builds = [...new Set([build, next])].map((name) => `build=${name}`).join("&");
    try {
      // An active registration needs no network; registering may have to wait for one.
      watch((await navigator.serviceWorker.getRegistration())?.active);
      const registration = await navigator.serviceWorker.register(`sw.js?${builds}`);
      registration.addEventListener("updatefound", () => watch(registration.installing));
      for (const worker of [registration.installing, registration.waiting, registration.active]) watch(worker);
    } catch (error) {
      console.warn("this page is not stored for offline use:", error);
    }
  });

  // Asks a service worker, once it is active, whether all files are stored.
  async function watch(worker) {
    if (!worker) return;
    while (worker.state !== "activated") {
      if (worker.state === "redundant") return;
      await new Promise((changed) => worker.addEventListener("statechange", changed, { once: true }));
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: isStored }) => {
      port1.close();
      if (isStored !== true) return;
      root.dataset.stored = "";
      dispatchEvent(new Event("dermake:stored"));
    };
    worker.postMessage("does the next visit work offline?", [port2]);
  }
})();
