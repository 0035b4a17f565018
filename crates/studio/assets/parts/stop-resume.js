// Stopping and resuming a training.

import { h } from "../app/dom.js";
import { post, runPath } from "../app/api.js";
import { dialog } from "./dialog.js";
import { notify, showError } from "./toast.js";

/// Asks the training to finish its step, save, and stop.
export async function stopRun(run, button) {
  button.disabled = true;
  try {
    await post(runPath(run.id, "/stop"), {});
    notify("The run stops after this step", "It saves everything first. You can resume it at any time.");
  } catch (error) {
    button.disabled = false;
    showError(error);
  }
}

const LENGTHS = [
  ["", "to the end of its recipe", null],
  ["epochs", "until epoch …", "total, e.g. 10"],
  ["steps", "until step …", "total, e.g. 5000"],
  ["time", "for a time", "e.g. 10m"],
];

/// Asks for how long, and resumes.
export function resumeRun(run, done) {
  dialog("Continue training", (close) => {
    const lengths = run.state === "complete" ? LENGTHS.filter(([kind]) => kind) : LENGTHS;
    const kind = h(
      "select",
      { id: "resume-kind" },
      lengths.map(([value, name]) => h("option", { value }, name)),
    );
    const amount = h("input", { type: "text", id: "resume-amount", autocomplete: "off", "aria-label": "Amount" });
    const place = h("div", { class: "field", hidden: true }, h("label", { for: "resume-amount" }, "Amount"), amount);
    const choose = () => {
      place.hidden = !kind.value;
      amount.placeholder = LENGTHS.find(([value]) => value === kind.value)[2] ?? "";
    };
    kind.addEventListener("change", choose);
    choose();
    const form = h(
      "form",
      { class: "stack" },
      h("p", { class: "muted" }, "Training resumes from the last checkpoint, bit for bit as if it had never stopped."),
      h("div", { class: "field" }, h("label", { for: "resume-kind" }, "Length"), kind),
      place,
      h(
        "div",
        { class: "actions" },
        h("button", { class: "button", type: "button", onclick: close }, "Cancel"),
        h("button", { class: "button primary", type: "submit" }, "Continue"),
      ),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const body = kind.value ? { [kind.value]: kind.value === "time" ? amount.value : Number(amount.value) } : {};
      try {
        await post(runPath(run.id, "/resume"), body);
        close();
        done();
      } catch (error) {
        showError(error);
      }
    });
    return form;
  });
}
