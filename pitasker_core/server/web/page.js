// Ours, before Streamlit's own scripts: say why the dashboard cannot connect, and mark the calls of
// the API that our pages make.
(() => {
  "use strict";
  const HEADER = "X-PiTasker-Page";
  const NO_WEBSOCKET =
    "PiTasker answers, but its websocket does not come through. A proxy or a " +
    "filter in between must pass it on: see docs/installation.md, “Behind a proxy”.";
  const AWAY =
    "PiTasker's server does not answer. cron still runs your tasks. This page connects again when " +
    "the server is back. To start it, type ./pitasker up on its machine.";
  const SIGNED_OUT = 4401;
  const RECONNECTION_MS = 1000; // Streamlit tries again after half a second
  const STYLE =
    "position:fixed;inset:0 0 auto 0;z-index:2147483647;padding:.8rem 1.2rem;" +
    "font:16px/1.5 system-ui,sans-serif;background:#a02818;color:#fff";

  // Streamlit's scripts guess where the server is: without this they first ask below the page's own
  // address, and wait for two answers "not found".
  window.__streamlit = { BACKEND_BASE_URL: `${location.origin}/` };

  let failures = 0;
  let banner = null;

  const hide = () => {
    failures = 0;
    banner?.remove();
    banner = null;
  };

  const show = (text, isSignedOut) => {
    hide();
    banner = document.createElement("div");
    banner.setAttribute("role", "alert");
    banner.style.cssText = STYLE;
    banner.textContent = text;
    if (isSignedOut) {
      const link = document.createElement("a");
      link.href = "/login";
      link.textContent = " Sign in";
      link.style.color = "inherit";
      banner.append(link);
    }
    document.body.append(banner);
  };

  // A refused websocket tells a page nothing. The same question as an ordinary request gets the
  // same judgement, with its reason.
  const explain = async () => {
    failures += 1;
    const count = failures;
    try {
      const answer = await fetch("/connection", { method: "POST", headers: { [HEADER]: "1" } });
      if (answer.ok) {
        // Once may be a restart.
        if (count > 1) show(NO_WEBSOCKET, false);
      } else {
        const { error } = await answer.json();
        const isSignedOut = answer.status === 401;
        show(isSignedOut ? error.message : `${error.message} ${error.advice}`, isSignedOut);
      }
      failures = count;
    } catch {
      // No answer, or none of ours.
      show(AWAY, false);
    }
  };

  // Streamlit's own dialog covers the page, and names a program that the person never started.
  // Streamlit does not open it again before it has connected.
  const closeStreamlitsDialog = () => {
    for (const dialog of document.querySelectorAll("[role=dialog]")) {
      if (!/^Connection error[^]*Streamlit/.test(dialog.textContent)) continue;
      dialog.querySelector("button[aria-label=Close]")?.click();
    }
  };
  const dialogs = new MutationObserver(closeStreamlitsDialog);

  let connections = 0;
  // After a lost connection Streamlit asks for the server and opens no websocket before it answers.
  const explainUnlessReconnected = () => {
    const count = connections;
    setTimeout(() => count === connections && explain(), RECONNECTION_MS);
  };
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...words) {
      super(...words);
      let opened = false;
      this.addEventListener("open", () => {
        opened = true;
        connections += 1;
        dialogs.disconnect();
        hide();
      });
      this.addEventListener("close", ({ code }) => {
        // Signed out: nothing of the page stays, and the gate shows the way in.
        if (code === SIGNED_OUT) return location.reload();
        dialogs.observe(document.body, { childList: true, subtree: true });
        if (!opened) explain();
        else explainUnlessReconnected();
      });
    }
  };

  // On a phone the menu lies over the page: a page that was chosen is what one wants to see.
  document.addEventListener("click", ({ target }) => {
    if (innerWidth > 768 || !target.closest?.("[data-testid=stSidebarNavLink]")) return;
    const close = "[data-testid=stSidebarCollapseButton] button";
    setTimeout(() => document.querySelector(close)?.click(), 0);
  });

  // The key `/` opens the search box, unless it is typed into something. The canvas is a table.
  const TYPED = "input,textarea,select,canvas,[contenteditable],[role=dialog],[role=dialog] *";
  const pressSearch = (tries) => {
    const button = document.querySelector(".st-key-search-commands button");
    if (button) button.click();
    // The page is not drawn yet.
    else if (tries > 0) setTimeout(pressSearch, 100, tries - 1);
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.composedPath()[0].matches?.(TYPED)) return;
    event.preventDefault();
    pressSearch(50);
  });

  const nativeFetch = window.fetch;
  window.fetch = (resource, options) => {
    const url = new URL(resource instanceof Request ? resource.url : resource, location);
    if (url.origin !== location.origin || !url.pathname.startsWith("/api/")) {
      return nativeFetch(resource, options);
    }
    const request = new Request(resource, options);
    request.headers.set(HEADER, "1");
    return nativeFetch(request);
  };
})();
