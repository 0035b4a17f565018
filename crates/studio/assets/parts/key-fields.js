// The recipe's keys as form fields, with the help texts of the command line. Only changed fields are sent; the others show the
// preset's values.

import { h, replace } from "../app/dom.js";

const FREQUENT = [
  "train.batch",
  "train.loss",
  "latent",
  "generator.adam.learning_rate",
  "discriminator.adam.learning_rate",
  "train.seed",
  "data.count",
  "train.n_critic",
];
const SECTIONS = {
  "": "Both",
  data: "Data",
  labels: "Labels",
  generator: "Generator",
  discriminator: "Discriminator",
  train: "Training",
};
let count = 0;

/// { element, changes(), presetValues(flat) }: `flat` maps keys to the preset's values; `onchange()` after each change.
export function keyFields(keys, onchange) {
  const fields = new Map(keys.map((key) => [key.key, field(key, onchange)]));
  const frequent = FREQUENT.filter((key) => fields.has(key));
  const rest = keys.filter((key) => !frequent.includes(key.key));
  const search = h("input", { type: "search", placeholder: "Search keys and help", "aria-label": "Search all keys" });
  const list = h("div", { class: "stack gap-above" });
  const arrange = () => {
    const text = search.value.trim().toLowerCase();
    const found = rest.filter((key) => `${key.key} ${key.help}`.toLowerCase().includes(text));
    const groups = Map.groupBy?.(found, section) ?? group(found);
    replace(
      list,
      [...groups].map(([name, members]) =>
        h(
          "div",
          {},
          h("h3", {}, SECTIONS[name] ?? name),
          h(
            "div",
            { class: "keys" },
            members.map((key) => fields.get(key.key).element),
          ),
        ),
      ),
      found.length ? null : h("p", { class: "muted" }, "No key matches."),
    );
  };
  search.addEventListener("input", arrange);
  arrange();
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "keys" },
      frequent.map((key) => fields.get(key).element),
    ),
    rest.length
      ? h("details", { class: "gap-above" }, h("summary", {}, `All other keys (${rest.length})`), search, list)
      : null,
  );
  return {
    element,
    changes: () => Object.fromEntries([...fields].flatMap(([key, one]) => (one.changed() ? [[key, one.value()]] : []))),
    presetValues(flat) {
      for (const [key, one] of fields) one.preset(flat[key]);
    },
    reset() {
      for (const one of fields.values()) one.reset();
      onchange();
    },
  };
}

const section = (key) => (key.key.includes(".") ? key.key.split(".")[0] : "");
function group(keys) {
  const groups = new Map();
  for (const key of keys) groups.set(section(key), [...(groups.get(section(key)) ?? []), key]);
  return groups;
}

function field(key, onchange) {
  count += 1;
  const id = `key-${count}`;
  const about = `${id}-help`;
  const input = control(key, id, about);
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, key.key),
    input,
    h("p", { class: "help", id: about }, key.help),
  );
  let presetValue = "";
  input.value = ""; // a select chooses its first option by default
  const changed = () => input.value !== "" && input.value !== presetValue;
  input.addEventListener("change", () => {
    element.classList.toggle("changed", changed());
    onchange();
  });
  return {
    element,
    changed,
    value: () => input.value,
    reset() {
      input.value = key.choices || key.kind === "bool" ? presetValue : "";
      element.classList.remove("changed");
    },
    preset(value) {
      const kept = changed();
      presetValue = value ?? plain(key.default);
      if (input.tagName === "SELECT") {
        if (!kept) input.value = presetValue;
      } else input.placeholder = presetValue;
      element.classList.toggle("changed", changed());
    },
  };
}

function control(key, id, about) {
  const choices = key.kind === "bool" ? ["true", "false"] : key.choices;
  if (choices?.length)
    return h(
      "select",
      { id, "aria-describedby": about },
      choices.map((choice) => h("option", { value: choice }, choice)),
    );
  return h("input", {
    type: "text",
    id,
    "aria-describedby": about,
    autocomplete: "off",
    spellcheck: "false",
    inputmode: key.kind === "integer" ? "numeric" : key.kind === "number" ? "decimal" : null,
  });
}

const plain = (value) => (value === null || value === undefined ? "" : String(value));
