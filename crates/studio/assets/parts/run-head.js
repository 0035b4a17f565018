// The header of Training, Play and Expert: the run's name, its state, and the tabs between the three.

import { h } from "../app/dom.js";
import { to } from "../app/router.js";
import { updateState } from "./status.js";

const TABS = [
  ["run", "Training"],
  ["play", "Play"],
  ["expert", "Expert"],
];

/// { element, state(word) }. `actions` are shown on the right.
export function runHead(run, current, ...actions) {
  const mark = h("span", {});
  updateState(mark, run.state);
  const about = [run.data, run.preset ? `preset ${run.preset}` : null, run.loss].filter(Boolean).join(" · ");
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "page-head" },
      h(
        "div",
        {},
        h("a", { class: "crumb", href: to("runs") }, "All runs"),
        h("h1", {}, run.id),
        h("p", { class: "lead row" }, mark, h("span", {}, about)),
      ),
      actions.length ? h("div", { class: "actions" }, actions) : null,
    ),
    h(
      "nav",
      { class: "tabs", "aria-label": "Views of this run" },
      TABS.map(([page, name]) =>
        h("a", { href: to(page, run.id), "aria-current": page === current ? "page" : null }, name),
      ),
    ),
  );
  return { element, state: (word) => updateState(mark, word) };
}
