// A question in front of the page, on the browser's own <dialog>: it keeps the focus, Escape closes it.

import { h } from "../app/dom.js";

let count = 0;

/// Opens a dialog; `build(close)` gives its content. It is taken out of the page when it closes.
export function dialog(title, build) {
  count += 1;
  const id = `dialog-${count}`;
  const element = h("dialog", { "aria-labelledby": id });
  const close = () => element.close();
  element.append(h("h2", { id }, title), ...[build(close)].flat());
  element.addEventListener("close", () => element.remove());
  element.addEventListener("click", (event) => { if (event.target === element) close(); });
  document.body.append(element);
  element.showModal();
  addEventListener("hashchange", close, { once: true });
  return element;
}
