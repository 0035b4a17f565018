// Sliders for a latent: its values, and a distance along each direction. The image is drawn from the sum of both.

import { h, replace, setText } from "../app/dom.js";

const FIRST = 6;
const REACH = 3;
let count = 0;

/// A labelled slider: { element, input, set(value) }.
export function slider(name, { min, max, step, value, format, oninput, help }) {
  count += 1;
  const id = `slider-${count}`;
  const show = format ?? ((number) => number.toFixed(2).replace("-", "−"));
  const input = h("input", { type: "range", id, min, max, step });
  input.value = value;
  const output = h("output", { for: id, class: "number" }, show(value));
  input.addEventListener("input", () => {
    setText(output, show(Number(input.value)));
    oninput(Number(input.value));
  });
  const element = h("div", { class: "slider" }, h("label", { for: id, title: help }, name), output, input);
  return {
    element,
    input,
    set: (number) => {
      input.value = number;
      setText(output, show(number));
    },
  };
}

/// { element, value(), set(z), reset(), add(directions) } for `directions` and `size` latent values; `onchange()` after each change
/// by the visitor.
export function latentSliders(directions, size, onchange) {
  let base = new Array(size).fill(0);
  const moves = [];
  const value = () =>
    base.map((number, at) => moves.reduce((sum, move) => sum + move.amount * move.vector[at], number));

  const dial = (direction) => {
    const move = { vector: direction.vector, amount: 0 };
    moves.push(move);
    move.dial = slider(name(direction), {
      min: -direction.reach,
      max: direction.reach,
      step: direction.reach / 100,
      value: 0,
      help:
        direction.kind === "label"
          ? "Towards images of this label"
          : "A direction that changes the first layer strongly",
      oninput: (amount) => {
        move.amount = amount;
        refresh();
        onchange();
      },
    });
    return move.dial;
  };
  const labelled = h("div", { class: "stack", hidden: true });
  const numbers = [];
  const raw = h("div", { class: "sliders latents", tabindex: 0, role: "group", "aria-label": "Values of the latent" });
  const details = h("details", {}, h("summary", {}, `The ${size} values of the latent`), raw);
  const build = () => {
    if (numbers.length) return;
    for (let at = 0; at < size; at += 1) {
      numbers.push(
        slider(`z${at + 1}`, {
          min: -REACH,
          max: REACH,
          step: 0.01,
          value: 0,
          oninput: (amount) => {
            base[at] += amount - value()[at];
            onchange();
          },
        }),
      );
    }
    replace(
      raw,
      numbers.map((one) => one.element),
    );
  };
  const refresh = () => {
    if (numbers.length) value().forEach((number, at) => numbers[at].set(number));
  };
  details.addEventListener("toggle", () => {
    if (details.open) {
      build();
      refresh();
    }
  });

  const zero = () => {
    moves.forEach((move) => {
      move.amount = 0;
      move.dial.set(0);
    });
    refresh();
  };
  const element = h("div", { class: "stack" }, dialRows(directions.map(dial)), labelled, details);
  return {
    element,
    value,
    set(z) {
      base = [...z];
      zero();
    },
    reset() {
      zero();
      onchange();
    },
    /// Adds directions towards labels, which are known later.
    add(more) {
      if (!more.length) return;
      labelled.hidden = false;
      replace(
        labelled,
        h("h3", {}, "Towards a label"),
        h(
          "div",
          { class: "sliders" },
          more.map((direction) => dial(direction).element),
        ),
      );
    },
  };
}

function dialRows(dials) {
  if (!dials.length)
    return h(
      "p",
      { class: "muted" },
      "No directions: they are computed from a dense first layer, and this generator has none.",
    );
  const first = h(
    "div",
    { class: "sliders" },
    dials.slice(0, FIRST).map((dial) => dial.element),
  );
  if (dials.length <= FIRST) return first;
  return [
    first,
    h(
      "details",
      {},
      h("summary", {}, `${dials.length - FIRST} more directions`),
      h(
        "div",
        { class: "sliders" },
        dials.slice(FIRST).map((dial) => dial.element),
      ),
    ),
  ];
}

const name = (direction) => String(direction.name).replaceAll("_", " ");
