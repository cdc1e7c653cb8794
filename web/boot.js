// Runs before the program: shows a message if this browser cannot run it or if it fails, lists the builds of the worker to
// try in this browser, and registers sw.js.
(() => {
  const root = document.documentElement;

  // The program has its texts in `languages`; these are there before it, and when it cannot start. A text has one version
  // for each of these languages.
  const LANGUAGES = ["en", "de", "es", "fr", "pt-BR", "zh-CN"];
  const TEXTS = {
    claim: [
      "Research software, not a medical device. The photo stays on this device.",
      "Forschungssoftware, kein Medizinprodukt. Das Foto bleibt auf diesem Gerät.",
      "Software de investigación, no un producto sanitario. La foto se queda en este dispositivo.",
      "Logiciel de recherche, pas un dispositif médical. La photo reste sur cet appareil.",
      "Software de pesquisa, não um dispositivo médico. A foto fica neste aparelho.",
      "研究软件，不是医疗器械。照片只留在本设备上。",
    ],
    starting: ["Starting.", "Startet.", "Iniciando.", "Démarrage.", "Iniciando.", "正在启动。"],
    reload: ["Reload the page", "Seite neu laden", "Recargar la página", "Recharger la page", "Recarregar a página", "重新加载页面"],
    slow: [
      "The page has not started: its files are still being loaded, could not be loaded, or are not allowed to run. On a slow network, wait; otherwise check the network, then reload the page. In an old browser it never starts: use a current Chrome, Edge, Firefox or Safari.",
      "Die Seite ist nicht gestartet: Ihre Dateien werden noch geladen, konnten nicht geladen werden oder dürfen nicht laufen. Warten Sie bei einem langsamen Netz; prüfen Sie sonst das Netz und laden Sie die Seite neu. In einem alten Browser startet sie nie: Nehmen Sie ein aktuelles Chrome, Edge, Firefox oder Safari.",
      "La página no se ha iniciado: sus archivos aún se están cargando, no se pudieron cargar o no tienen permiso para ejecutarse. Si la red es lenta, espere; si no, compruebe la red y recargue la página. En un navegador antiguo no se inicia nunca: use una versión actual de Chrome, Edge, Firefox o Safari.",
      "La page n'a pas démarré : ses fichiers sont encore en cours de chargement, n'ont pas pu être chargés ou n'ont pas le droit de s'exécuter. Si le réseau est lent, attendez ; sinon, vérifiez le réseau, puis rechargez la page. Dans un ancien navigateur, elle ne démarre jamais : utilisez une version actuelle de Chrome, Edge, Firefox ou Safari.",
      "A página não foi iniciada: seus arquivos ainda estão sendo carregados, não puderam ser carregados ou não têm permissão para ser executados. Se a rede for lenta, espere; se não, verifique a rede e recarregue a página. Em um navegador antigo ela nunca inicia: use uma versão atual do Chrome, Edge, Firefox ou Safari.",
      "页面没有启动：它的文件仍在加载、无法加载，或不允许运行。如果网络较慢，请等待；否则请检查网络，然后重新加载页面。旧版浏览器无法启动此页面：请使用当前版本的 Chrome、Edge、Firefox 或 Safari。",
    ],
    lacks: [
      "This browser lacks {what}, which the model needs. Use a current Chrome, Edge, Firefox or Safari.",
      "Diesem Browser fehlt, was das Modell braucht: {what}. Nehmen Sie ein aktuelles Chrome, Edge, Firefox oder Safari.",
      "A este navegador le falta lo que el modelo necesita: {what}. Use una versión actual de Chrome, Edge, Firefox o Safari.",
      "Il manque à ce navigateur ce dont le modèle a besoin : {what}. Utilisez une version actuelle de Chrome, Edge, Firefox ou Safari.",
      "Falta a este navegador o que o modelo precisa: {what}. Use uma versão atual do Chrome, Edge, Firefox ou Safari.",
      "此浏览器缺少模型所需的功能：{what}。请使用当前版本的 Chrome、Edge、Firefox 或 Safari。",
    ],
    unloaded: [
      "The page could not start: one of its files could not be loaded. Check the network, then reload the page.",
      "Die Seite konnte nicht starten: Eine ihrer Dateien konnte nicht geladen werden. Prüfen Sie das Netz und laden Sie die Seite neu.",
      "La página no se pudo iniciar: no se pudo cargar uno de sus archivos. Compruebe la red y recargue la página.",
      "La page n'a pas pu démarrer : un de ses fichiers n'a pas pu être chargé. Vérifiez le réseau, puis rechargez la page.",
      "A página não pôde ser iniciada: um de seus arquivos não pôde ser carregado. Verifique a rede e recarregue a página.",
      "页面无法启动：它的一个文件无法加载。请检查网络，然后重新加载页面。",
    ],
    mistyped: [
      "The page could not start: {file} could not be loaded (the server sends it as {type} instead of {expected}). Reload the page, now or later.",
      "Die Seite konnte nicht starten: {file} konnte nicht geladen werden (der Server sendet sie als {type} statt {expected}). Laden Sie die Seite neu, jetzt oder später.",
      "La página no se pudo iniciar: no se pudo cargar {file} (el servidor lo envía como {type} en lugar de {expected}). Recargue la página, ahora o más tarde.",
      "La page n'a pas pu démarrer : {file} n'a pas pu être chargé (le serveur l'envoie comme {type} au lieu de {expected}). Rechargez la page, maintenant ou plus tard.",
      "A página não pôde ser iniciada: {file} não pôde ser carregado (o servidor o envia como {type} em vez de {expected}). Recarregue a página, agora ou mais tarde.",
      "页面无法启动：{file} 无法加载（服务器以 {type} 而不是 {expected} 发送它）。请现在或稍后重新加载页面。",
    ],
    refused: [
      "The page could not start: {file} could not be loaded (the server answers {status}). Reload the page, now or later.",
      "Die Seite konnte nicht starten: {file} konnte nicht geladen werden (der Server antwortet {status}). Laden Sie die Seite neu, jetzt oder später.",
      "La página no se pudo iniciar: no se pudo cargar {file} (el servidor responde {status}). Recargue la página, ahora o más tarde.",
      "La page n'a pas pu démarrer : {file} n'a pas pu être chargé (le serveur répond {status}). Rechargez la page, maintenant ou plus tard.",
      "A página não pôde ser iniciada: {file} não pôde ser carregado (o servidor responde {status}). Recarregue a página, agora ou mais tarde.",
      "页面无法启动：{file} 无法加载（服务器回应 {status}）。请现在或稍后重新加载页面。",
    ],
    forbidden: [
      "The page could not start: the server's Content-Security-Policy forbids a part of it ({part}). The administrator of the server can allow it.",
      "Die Seite konnte nicht starten: Die Content-Security-Policy des Servers verbietet einen Teil davon ({part}). Wer den Server verwaltet, kann ihn erlauben.",
      "La página no se pudo iniciar: la Content-Security-Policy del servidor prohíbe una parte de ella ({part}). Quien administra el servidor puede permitirla.",
      "La page n'a pas pu démarrer : la Content-Security-Policy du serveur en interdit une partie ({part}). L'administrateur du serveur peut l'autoriser.",
      "A página não pôde ser iniciada: a Content-Security-Policy do servidor proíbe uma parte dela ({part}). Quem administra o servidor pode permiti-la.",
      "页面无法启动：服务器的 Content-Security-Policy 禁止了它的一部分（{part}）。服务器管理员可以允许它。",
    ],
    stopped: [
      "The page stopped unexpectedly. Reload it to continue.",
      "Die Seite hat unerwartet angehalten. Laden Sie sie neu, um fortzufahren.",
      "La página se detuvo inesperadamente. Recárguela para continuar.",
      "La page s'est arrêtée de façon inattendue. Rechargez-la pour continuer.",
      "A página parou inesperadamente. Recarregue-a para continuar.",
      "页面意外停止。请重新加载以继续。",
    ],
  };

  // The language to begin with, by the rule of language/mod.rs. Later the program writes into `lang` which language it shows.
  root.lang = firstLanguage();
  function firstLanguage() {
    const primary = (tag) => tag.trim().split(/[-_]/)[0].toLowerCase();
    let chosen = null;
    try {
      chosen = localStorage.getItem("dermake.language");
    } catch {
      // storage is blocked
    }
    const tags = [new URLSearchParams(location.search).get("lang"), chosen, ...(navigator.languages ?? [])];
    const known = tags.map((tag) => LANGUAGES.find((code) => primary(code) === primary(tag ?? "")));
    return known.find(Boolean) ?? "en";
  }

  // A text in the language of the page. A missing version fails no visit: it is English.
  const say = (name, values = {}) => {
    const text = TEXTS[name][LANGUAGES.indexOf(root.lang)] ?? TEXTS[name][0];
    return text.replace(/\{(\w+)\}/g, (_, value) => values[value]);
  };

  // The texts of index.html, which are English there, for browsers without scripts. Its end is read before the program runs.
  document.addEventListener("readystatechange", () => {
    for (const element of document.querySelectorAll("#boot [data-say]")) element.textContent = say(element.dataset.say);
  });

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
    button.textContent = say("reload");
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
    showMessage(say("lacks", { what: missing.join(", ") }));
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
      showMessage(say("unloaded"));
      findFaultyFile().catch(() => {}); // the message above stays
    } else if (cause instanceof WebAssembly.RuntimeError) showMessage(say("stopped"));
  };
  addEventListener("error", ({ target, filename, error }) => isOurs(target?.src ?? target?.href ?? filename) && onFailure(error), true);
  addEventListener("unhandledrejection", (event) => onFailure(event.reason));

  // Finds the file that the server sends wrongly, and shows it.
  async function findFaultyFile() {
    for (const { href } of document.querySelectorAll("link[rel=modulepreload], link[rel=preload]")) {
      const response = await fetch(href, { method: "HEAD" });
      const [file, type] = [href.split("/").pop(), response.headers.get("content-type") ?? "–"];
      const [expected, isUsable] = file.endsWith(".js") ? ["text/javascript", /javascript/] : ["application/wasm", /^application\/wasm/];
      if (response.ok && isUsable.test(type)) continue;
      showMessage(response.ok ? say("mistyped", { file, type, expected }) : say("refused", { file, status: response.status }));
      return;
    }
  }
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    const concernsProgram = /^(script|worker|child|connect|default)-src/.test(effectiveDirective);
    const isForeign = blockedURI.includes(":") && !isOurs(blockedURI); // not an address: inline, eval, wasm-eval
    if (isStarted || !concernsProgram || isForeign || root.dataset.blocked) return;
    root.dataset.blocked = effectiveDirective;
    // The program may start despite a violation.
    setTimeout(() => isStarted || showMessage(say("forbidden", { part: `${effectiveDirective}: ${blockedURI}` })), 1_000);
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
