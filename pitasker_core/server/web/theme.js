// A person chooses the theme once, for all pages. Streamlit remembers it for each path apart.
// In a script of its own: a browser may refuse the storage, which ends this one alone.
(() => {
  "use strict";
  const KEY = "pitasker-theme";
  const chosen = localStorage.getItem(KEY);
  if (chosen) localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, chosen);
  const nativeSetItem = Storage.prototype.setItem;
  Storage.prototype.setItem = function (name, value) {
    nativeSetItem.call(this, name, value);
    if (/^stActiveTheme-.*-v2$/.test(name)) nativeSetItem.call(this, KEY, value);
  };

  // A preview has the same theme. Without a choice it has the system's.
  const scheme = /\b(light|dark)\b/i.exec(chosen ?? "")?.[1].toLowerCase();
  if (scheme) document.documentElement.style.setProperty("--preview-scheme", scheme);
})();
