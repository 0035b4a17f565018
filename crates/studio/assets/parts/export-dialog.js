// The Export dialog of a run: its networks in three formats, any number of images, the report.

import { h } from "../app/dom.js";
import { download, runPath } from "../app/api.js";
import { dialog } from "./dialog.js";
import { bytes, number } from "../app/format.js";
import { notify, showError } from "./toast.js";

const FORMS = [
  ["onnx", "ONNX", "The generator for any runtime: onnxruntime, a browser, a phone."],
  ["safetensors", "safetensors and a Python file", "The weights in PyTorch's layouts, with a script that runs them."],
  ["html", "One HTML page", "The generator in a page that works offline. Email your GAN."],
];

/// Opens the dialog.
export function openExport(run, signal) {
  dialog(`Export ${run.id}`, (close) => [
    h("p", { class: "muted" }, "Each file is read back and compared with the run before download."),
    h(
      "div",
      { class: "choices" },
      FORMS.map(([form, name, text]) =>
        choice(name, text, (button) =>
          fetchFile(button, runPath(run.id, `/export?to=${form}`), `${run.id}.${form}`, signal),
        ),
      ),
    ),
    h("h3", { class: "gap-above" }, "Images"),
    imagesForm(run, signal),
    h(
      "div",
      { class: "actions" },
      h(
        "a",
        { class: "button", href: `/api${runPath(run.id, "/report")}`, target: "_blank", rel: "noopener" },
        "Open the report",
      ),
      h("button", { class: "button", type: "button", onclick: close }, "Close"),
    ),
  ]);
}

function choice(name, text, act) {
  const button = h("button", { class: "button", type: "button", "aria-label": `Download ${name}` }, "Download");
  button.addEventListener("click", () => act(button));
  return h("div", { class: "choice" }, h("div", {}, h("b", {}, name), h("p", {}, text)), button);
}

async function fetchFile(button, path, fallback, signal) {
  const label = button.textContent;
  button.disabled = true;
  button.textContent = "Preparing…";
  try {
    const file = await download(path, fallback, signal);
    notify(
      `Saved ${file.name} (${bytes(file.size)})`,
      file.checked ? `Verified: ${file.checked} (max. difference ${number(file.difference)}).` : null,
    );
  } catch (error) {
    showError(error);
  } finally {
    button.disabled = false;
    button.textContent = label;
  }
}

function imagesForm(run, signal) {
  const count = h("input", { type: "number", id: "export-count", min: 1, max: 1000000, value: 100, required: true });
  const seed = h("input", { type: "number", id: "export-seed", min: 0, value: 1, required: true });
  const label =
    run.labels?.kind === "classes"
      ? h(
          "select",
          { id: "export-class" },
          h("option", { value: "" }, "all"),
          run.labels.names.map((name) => h("option", { value: name }, name)),
        )
      : null;
  const button = h("button", { class: "button", type: "submit" }, "Download a zip");
  const form = h(
    "form",
    { class: "export-images" },
    field("Number", "export-count", count),
    field("Seed", "export-seed", seed),
    label ? field("Class", "export-class", label) : null,
    button,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams({ n: count.value, seed: seed.value });
    if (label?.value) query.set("class", label.value);
    fetchFile(button, runPath(run.id, `/samples?${query}`), `${run.id}.zip`, signal);
  });
  return form;
}

const field = (name, id, input) => h("div", { class: "field" }, h("label", { for: id }, name), input);
