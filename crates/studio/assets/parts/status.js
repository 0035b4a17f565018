// How loading, errors and empty lists look, and the state of a run.

import { h, replace, icon, s } from "../app/dom.js";
import { codeParts } from "../app/format.js";

export const loading = (what = "Loading…") => h("p", { class: "loading", role: "status" }, what);

/// Text with inline code in backquotes.
export const prose = (text) => codeParts(text).map((part, at) => (at % 2 ? h("code", {}, part) : part));

/// An error: what happened, what to do, and a button to try again.
export function problem(error, again) {
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("strong", {}, prose(error.message ?? String(error))),
    error.hint ? h("p", { class: "hint" }, prose(error.hint)) : null,
    again
      ? h(
          "p",
          { class: "actions" },
          h("button", { class: "button small", type: "button", onclick: again }, "Try again"),
        )
      : null,
  );
}

/// A command line with a button that copies it.
export function command(text) {
  const button = h("button", { class: "button small", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copy failed";
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, 2000);
  });
  return h("div", { class: "command" }, h("code", { tabindex: 0 }, text), button);
}

/// An empty list, and what to do about it.
export function empty(title, text, ...rest) {
  return h(
    "div",
    { class: "empty" },
    h("img", { src: "/icon.svg", alt: "" }),
    h("h2", {}, title),
    h("p", {}, text),
    ...rest,
  );
}

const MARKS = {
  running: { word: "Running", draw: () => s("circle", { cx: 6, cy: 6, r: 5, fill: "currentColor" }) },
  complete: {
    word: "Complete",
    draw: () => s("path", { d: "M1.5 6.5 4.5 9.5 10.5 2.5", fill: "none", stroke: "currentColor", "stroke-width": 2 }),
  },
  stopped: { word: "Stopped", draw: () => s("path", { d: "M2 2h8v8H2z", fill: "currentColor" }) },
  diverged: {
    word: "Diverged",
    draw: () => s("path", { d: "M2 2l8 8M10 2l-8 8", stroke: "currentColor", "stroke-width": 2.4 }),
  },
  damaged: {
    word: "Damaged",
    draw: () =>
      s("path", { d: "M6 1 11.5 11h-11zM6 4.5v3M6 9v.5", fill: "none", stroke: "currentColor", "stroke-width": 1.5 }),
  },
};

/// The state of a run: a mark, a word and a colour.
export function stateMark(state) {
  const known = MARKS[state] ?? { word: state, draw: MARKS.stopped.draw };
  return h(
    "span",
    { class: `state state-${state}` },
    s("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, known.draw()),
    known.word,
  );
}

/// Updates a state mark if the state changed.
export function updateState(holder, state) {
  if (holder.dataset.state === state) return;
  holder.dataset.state = state;
  replace(holder, stateMark(state));
}

export { icon };
