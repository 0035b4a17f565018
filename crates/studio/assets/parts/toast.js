// Short messages at the edge of the window, announced by screen readers. Errors stay until they are closed.

import { h, icon } from "../app/dom.js";
import { prose } from "./status.js";

const SHOWN_MS = 6000;
const CROSS = "M6 6l12 12M18 6 6 18";

function put(kind, title, hint) {
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close this message" }, icon(CROSS));
  const toast = h(
    "div",
    { class: `toast ${kind}` },
    h("div", {}, h("strong", {}, prose(title)), hint ? h("p", { class: "small" }, prose(hint)) : null),
    close,
  );
  close.addEventListener("click", () => toast.remove());
  document.getElementById("toasts").append(toast);
  return toast;
}

/// Says that something was done or has started; disappears after a few seconds.
export function notify(title, hint) {
  const toast = put("", title, hint);
  setTimeout(() => toast.remove(), SHOWN_MS);
  return toast;
}

// Errors of one page don't matter on the next.
addEventListener("hashchange", () => {
  for (const toast of document.querySelectorAll(".toast.bad")) toast.remove();
});

/// Shows an error. An aborted request isn't one.
export function showError(error) {
  if (error?.name === "AbortError") return;
  if (!error?.hint && !error?.status) console.error(error);
  put("bad", error.message ?? String(error), error.hint);
}
