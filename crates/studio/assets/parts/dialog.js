// Modal dialogs with the browser's <dialog>: it traps the focus, Escape closes it.

import { h } from "../app/dom.js";

let count = 0;

/// Opens a dialog; `build(close)` returns its content. It is removed from the page when it closes.
export function dialog(title, build) {
  count += 1;
  const id = `dialog-${count}`;
  const element = h("dialog", { "aria-labelledby": id });
  const close = () => element.close();
  element.append(h("h2", { id }, title), ...[build(close)].flat());
  element.addEventListener("close", () => element.remove());
  element.addEventListener("click", (event) => {
    if (event.target === element) close();
  });
  document.body.append(element);
  element.showModal();
  addEventListener("hashchange", close, { once: true });
  return element;
}
