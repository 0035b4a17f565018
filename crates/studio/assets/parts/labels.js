// Chooses the labels for a conditional generator: one of its classes, or any of its attributes.

import { h } from "../app/dom.js";

/// { element, value() }, or null without labels. `value()` has the form of --class: "7", or "Smiling,Eyeglasses"; undefined where
/// nothing is chosen.
export function labelPicker(labels, onchange) {
  if (!labels?.names?.length) return null;
  return labels.kind === "attributes" ? attributes(labels.names, onchange) : classes(labels.names, onchange);
}

let count = 0;

function classes(names, onchange) {
  count += 1;
  const group = `class-${count}`;
  if (names.length > 20) {
    const select = h(
      "select",
      { id: group, onchange },
      names.map((name) => h("option", { value: name }, name)),
    );
    return {
      element: h("div", { class: "field" }, h("label", { for: group }, "Class"), select),
      value: () => select.value,
    };
  }
  const inputs = names.map((name, at) =>
    h("input", { type: "radio", name: group, value: name, checked: at === 0, onchange }),
  );
  const element = h(
    "fieldset",
    {},
    h("legend", {}, "Class"),
    h(
      "div",
      { class: "segments" },
      inputs.map((input) => h("label", {}, input, h("span", {}, input.value))),
    ),
  );
  return { element, value: () => inputs.find((input) => input.checked)?.value };
}

function attributes(names, onchange) {
  const inputs = names.map((name) => h("input", { type: "checkbox", value: name, onchange }));
  const element = h(
    "fieldset",
    {},
    h("legend", {}, "Attributes"),
    h(
      "div",
      { class: "row" },
      inputs.map((input) => h("label", { class: "check" }, input, input.value.replaceAll("_", " "))),
    ),
  );
  return {
    element,
    value: () =>
      inputs
        .filter((input) => input.checked)
        .map((input) => input.value)
        .join(",") || undefined,
  };
}
