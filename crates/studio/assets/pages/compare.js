// Compare: several runs side by side. Images from the same latents, their curves in one chart, and the recipe keys that differ.

import { h, replace, setText, debounce } from "../app/dom.js";
import { get, pixels, points, runPath } from "../app/api.js";
import { to, remember } from "../app/router.js";
import { number, whole, percent } from "../app/format.js";
import { chart } from "../parts/chart.js";
import { chartControls } from "../parts/chart-controls.js";
import { lineSample, lineStyle } from "../parts/line-style.js";
import { historyCurve, scoreCurve } from "../parts/run-charts.js";
import { canvas, drawGrid, drawPoints, enlarge, isPoint } from "../parts/image.js";
import { stateMark, empty, prose } from "../parts/status.js";
import { labelPicker } from "../parts/labels.js";

const MAX_RUNS = 6;
const IMAGES = 16;
const POINTS = 800;

const CURVES = [
  ["score", "Score", number],
  ["d_loss", "Discriminator loss", number],
  ["g_loss", "Generator loss", number],
  ["d_real", "Real images recognised", percent],
  ["d_fake", "Generated images recognised", percent],
  ["d_norm", "Discriminator gradient norm", number],
  ["g_norm", "Generator gradient norm", number],
  ["images_per_s", "Speed, images/s", whole],
];

export async function show({ root, query, signal, title }) {
  title("Compare");
  const all = (await get("/runs", signal)).filter((run) => run.state !== "damaged");
  const wanted = (query.get("runs") ?? "")
    .split(",")
    .filter((id) => all.some((run) => run.id === id))
    .slice(0, MAX_RUNS);
  const page = new ComparePage(root, all, wanted, signal);
  await page.reload();
}

class ComparePage {
  constructor(root, all, chosen, signal) {
    Object.assign(this, { all, chosen, signal, seed: 1, curve: "score" });
    this.known = new Map();
    this.results = h("div", { class: "stack" });
    this.status = h("p", { class: "lead", role: "status" });
    this.pickers = new Map();
    replace(
      root,
      h("div", { class: "page-head" }, h("div", {}, h("h1", {}, "Compare"), this.status)),
      h("div", { class: "stack" }, this.picker(), this.results),
    );
  }

  picker() {
    if (!this.all.length)
      return empty(
        "No runs yet",
        "A comparison needs two runs.",
        h("p", {}, h("a", { class: "button primary", href: to("new") }, "Start a run")),
      );
    const list = h("div", { class: "run-picker", role: "group", "aria-label": "Runs to compare" });
    const search = h("input", {
      type: "search",
      placeholder: "Search",
      "aria-label": "Search the runs to compare",
      oninput: () => fill(),
    });
    const again = debounce(() => this.reload(), 150);
    const fill = () => {
      const text = search.value.trim().toLowerCase();
      const found = this.all.filter(
        (run) => this.chosen.includes(run.id) || `${run.id} ${run.data} ${run.preset}`.toLowerCase().includes(text),
      );
      found.sort((a, b) => this.chosen.includes(b.id) - this.chosen.includes(a.id) || b.changed - a.changed);
      replace(
        list,
        found.slice(0, 60).map((run) => {
          const box = h("input", { type: "checkbox", value: run.id, checked: this.chosen.includes(run.id) });
          box.addEventListener("change", () => {
            if (box.checked && this.chosen.length >= MAX_RUNS) {
              box.checked = false;
              setText(this.status, `At most ${MAX_RUNS} runs can be compared.`);
              return;
            }
            this.chosen = box.checked ? [...this.chosen, run.id] : this.chosen.filter((id) => id !== run.id);
            again();
          });
          return h(
            "label",
            { class: "check" },
            box,
            h("span", {}, run.id, " ", h("span", { class: "muted" }, run.data)),
          );
        }),
      );
    };
    fill();
    return h(
      "details",
      { class: "panel choose-runs", open: this.chosen.length < 2 },
      h("summary", {}, "Choose runs"),
      search,
      list,
    );
  }

  async reload() {
    remember("compare", null, this.chosen.length ? { runs: this.chosen.join(",") } : null);
    setText(
      this.status,
      this.chosen.length < 2
        ? `Choose 2 to ${MAX_RUNS} runs.`
        : "Images from the same latents, one generator beside the other.",
    );
    const chosen = this.chosen;
    try {
      await Promise.all(
        chosen
          .filter((id) => !this.known.has(id))
          .map(async (id) => {
            const [run, history] = await Promise.all([
              get(runPath(id), this.signal),
              get(runPath(id, "/history"), this.signal),
            ]);
            this.known.set(id, { run, history });
          }),
      );
    } catch (error) {
      if (this.signal.aborted) throw error;
      setText(this.status, `${error.message} ${error.hint ?? ""}`);
      return;
    }
    if (chosen === this.chosen) this.draw();
  }

  draw() {
    const chosen = this.chosen.map((id) => this.known.get(id));
    if (!chosen.length) {
      replace(this.results);
      return;
    }
    replace(this.results, this.images(chosen), this.curves(chosen), this.recipes(chosen));
  }

  images(chosen) {
    const sizes = new Set(chosen.map(({ run }) => run.latent));
    const columns = chosen.map(({ run }, at) => {
      const picture = canvas(isPoint(run.shape) ? [1, 1, 1] : run.shape, 64, `Images of ${run.id}`);
      picture.classList.add(`c-${lineStyle(at).colour}`);
      const labels = labelPicker(run.labels, () => this.fillImages(run, picture, labels));
      const note = h("p", { class: "small muted" });
      this.pickers.set(run.id, { picture, labels, note });
      this.fillImages(run, picture, labels);
      return h(
        "div",
        { class: "card" },
        h(
          "h3",
          { class: `row c-${lineStyle(at).colour}` },
          lineSample(lineStyle(at)),
          h("a", { href: to("run", run.id) }, run.id),
        ),
        h(
          "p",
          { class: "row small" },
          stateMark(run.state),
          h("span", { class: "muted number" }, `step ${whole(run.step)}`),
        ),
        picture,
        note,
        labels?.element,
        run.score
          ? h(
              "p",
              { class: "small" },
              h("span", { class: "muted" }, `${run.score.name} `),
              h("b", { class: "number" }, number(run.score.value)),
            )
          : null,
      );
    });
    const other = h(
      "button",
      {
        class: "button small",
        type: "button",
        onclick: () => {
          this.seed += 1;
          for (const { run } of chosen)
            this.fillImages(run, this.pickers.get(run.id).picture, this.pickers.get(run.id).labels);
        },
      },
      "New latents",
    );
    return h(
      "section",
      { class: "panel", "aria-labelledby": "compare-images" },
      h("div", { class: "row spread" }, h("h2", { id: "compare-images" }, "Images"), other),
      sizes.size > 1
        ? h(
            "p",
            { class: "muted small" },
            `These generators take latents of different sizes (${[...sizes].join(", ")}), so cells in the same position use different latents.`,
          )
        : h("p", { class: "muted small" }, "Cells in the same position use the same latent."),
      h("div", { class: "compare-runs" }, columns),
    );
  }

  async fillImages(run, picture, labels) {
    const { note } = this.pickers.get(run.id);
    try {
      const { z } = await get(
        runPath(run.id, `/noise?seed=${this.seed}&n=${isPoint(run.shape) ? POINTS : IMAGES}`),
        this.signal,
      );
      const body = { z, class: labels?.value() };
      if (isPoint(run.shape)) {
        drawPoints(picture, await points(runPath(run.id, "/images"), body, this.signal), 216);
        return;
      }
      const batch = await pixels(runPath(run.id, "/images"), { ...body, format: "raw" }, this.signal);
      const columns = run.shape[1] > 64 ? 2 : 4;
      drawGrid(picture, batch, columns);
      enlarge(picture, 232);
      setText(note, "");
    } catch (error) {
      if (error.name !== "AbortError") replace(note, prose(`${error.message} ${error.hint ?? ""}`));
    }
  }

  curves(chosen) {
    const place = h("div", {});
    const choice = h(
      "select",
      { id: "compare-curve" },
      CURVES.map(([key, name]) => h("option", { value: key, selected: key === this.curve }, name)),
    );
    let shown = null;
    const controls = chartControls(() => [shown]);
    const draw = () => {
      this.curve = choice.value;
      const [key, name, format] = CURVES.find(([one]) => one === choice.value);
      shown = chart({
        title: name,
        format,
        smooth: key !== "score",
        series: chosen.map(({ run }, at) => ({ key: run.id, name: run.id, ...lineStyle(at) })),
        note: key === "score" ? scoreNote(chosen) : null,
      });
      controls.apply(shown);
      replace(place, shown.element);
      shown.set({
        curves: Object.fromEntries(chosen.map(({ run, history }) => [run.id, curveOf(history, key, run.score?.name)])),
      });
    };
    choice.addEventListener("change", draw);
    draw();
    return h(
      "section",
      { class: "panel", "aria-labelledby": "compare-curves" },
      h(
        "div",
        { class: "row spread" },
        h("h2", { id: "compare-curves" }, "Curves"),
        h("div", { class: "row" }, h("label", { for: "compare-curve", class: "small" }, "Show"), h("span", {}, choice)),
      ),
      controls.element,
      place,
    );
  }

  recipes(chosen) {
    const flat = chosen.map(({ run }) => run.values ?? {});
    const keys = [...new Set(flat.flatMap((one) => Object.keys(one)))].filter((key) =>
      flat.some((one) => one[key] !== flat[0][key]),
    );
    const body = keys.length
      ? h(
          "div",
          { class: "scroll-x", tabindex: 0, role: "region", "aria-label": "Recipes, table" },
          h(
            "table",
            { class: "data diff" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                h("th", { scope: "col" }, "key"),
                chosen.map(({ run }) => h("th", { scope: "col" }, run.id)),
              ),
            ),
            h(
              "tbody",
              {},
              keys.map((key) =>
                h(
                  "tr",
                  {},
                  h("th", { scope: "row", class: "mono" }, key),
                  flat.map((one) => h("td", {}, one[key] ?? "–")),
                ),
              ),
            ),
          ),
        )
      : h(
          "p",
          { class: "muted" },
          chosen.length > 1 ? "The recipes are identical." : "Choose a second run to compare recipes.",
        );
    return h(
      "section",
      { class: "panel", "aria-labelledby": "compare-recipes" },
      h("h2", { id: "compare-recipes" }, "Recipe differences"),
      body,
    );
  }
}

/// A curve of a run's history, or of the score that decides.
function curveOf(history, key, scoreName) {
  return key === "score" ? scoreCurve(history, scoreName ?? history.scores[0]?.name) : historyCurve(history, key);
}

function scoreNote(chosen) {
  const names = new Set(chosen.map(({ run }) => run.score?.name).filter(Boolean));
  if (names.size > 1)
    return `Caution: these are different scores (${[...names].join("; ")}) and can't be compared with each other.`;
  return names.size ? `${[...names][0]}: lower is better.` : null;
}
