// Light or dark: applies the stored choice before the first paint, and toggles it. A classic script, because modules run after
// the first paint and would flash. Without a stored choice the system's setting applies (style/tokens.css).
(() => {
  const root = document.documentElement;
  const KEY = "faussaire.theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

  const chosen = stored();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  const SUN =
    "M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m11.4 0 1.4 1.4M4.9 4.9l1.4 1.4M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z";
  const MOON = "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z";

  function label(button) {
    const dark = isDark();
    button.innerHTML = `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${dark ? SUN : MOON}"/></svg>`;
    button.setAttribute("aria-label", dark ? "Switch to light colours" : "Switch to dark colours");
    button.title = button.getAttribute("aria-label");
  }

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const update = () => {
      label(button);
      dispatchEvent(new Event("faussaire-theme"));
    };
    label(button);
    system.addEventListener("change", update);
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem(KEY, root.dataset.theme);
      } catch {
        /* a private window: nothing is stored */
      }
      update();
    });
  });
})();
