// The doctor's findings as sentences: what was seen, what it means, what to try, and the flags for it.

import { h, replace } from "../app/dom.js";
import { whole } from "../app/format.js";
import { command, prose } from "./status.js";

const NOTHING =
  "No findings so far. The doctor looks for collapse, and for a network that is far too strong, once it has seen enough steps.";

/// Flags for the changes that a finding advises: `set` is a map or a list of key=value.
export function flags(set) {
  if (!set) return "";
  const pairs = Array.isArray(set)
    ? set.map((one) => (Array.isArray(one) ? one.join("=") : String(one)))
    : Object.entries(set).map(([key, value]) => `${key}=${value}`);
  return pairs.map((pair) => `--set ${pair}`).join(" ");
}

/// Fills `place` with a run's findings and heals, newest first.
export function showFindings(place, findings, heals, onstep) {
  if (!findings.length && !heals.length) {
    replace(place, h("p", { class: "muted" }, NOTHING));
    return;
  }
  const all = [
    ...findings.map((one) => ({ ...one, kind: "finding" })),
    ...heals.map((one) => ({ ...one, kind: "heal" })),
  ].sort((a, b) => b.step - a.step);
  replace(
    place,
    h(
      "ol",
      { class: "findings" },
      all.map((one) => (one.kind === "heal" ? heal(one) : finding(one, onstep))),
    ),
  );
}

function finding(one, onstep) {
  const set = flags(one.set);
  return h(
    "li",
    { class: "finding-item" },
    h(
      "p",
      {},
      h(
        "button",
        { class: "link-button number", type: "button", onclick: () => onstep?.(one.step) },
        `Step ${whole(one.step)}`,
      ),
      " ",
      h("b", {}, String(one.name).replaceAll("-", " ")),
    ),
    h("p", {}, prose(sentence(one.seen))),
    h("p", { class: "muted" }, prose(sentence(one.means))),
    one.advice ? h("p", {}, "Try: ", prose(one.advice)) : null,
    set ? command(set) : null,
  );
}

const heal = (one) =>
  h(
    "li",
    { class: "finding-item heal-item" },
    h("p", {}, h("b", {}, `Step ${whole(one.step)}: went back to step ${whole(one.back_to)}`)),
    h("p", { class: "muted" }, prose(`${sentence(one.remedy ?? one.name)} ${flags(one.set)}`)),
  );

function sentence(text) {
  const said = String(text ?? "").trim();
  if (!said) return "";
  return said[0].toUpperCase() + said.slice(1) + (/[.!?]$/.test(said) ? "" : ".");
}
