// Sets the chosen theme before the page is drawn, so that it never flashes in the other one.
// What the account has comes with the page and wins; this browser remembers its own choice for everybody else.
"use strict";
(() => {
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem("blitz-theme"); } catch { return null; } };
  const chosen = root.dataset.theme ?? stored();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  // The page changes at once; where the account cannot be told, this browser still remembers.
  function keep(theme, path) {
    try { localStorage.setItem("blitz-theme", theme); } catch { /* private window: lasts for this page */ }
    document.dispatchEvent(new CustomEvent("blitz-theme", { detail: theme }));
    if (!path) return;
    const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
    const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
    fetch(path, { method: "PUT", headers, body: JSON.stringify({ theme }), keepalive: true }).catch(() => {});
  }

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme-switch");
    button?.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      keep(root.dataset.theme, button.dataset.keep);
    });
  });
})();
