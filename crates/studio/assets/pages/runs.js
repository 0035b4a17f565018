// All runs, live: a card for each with its last sheet, state, progress and score. Cards can be selected for a comparison.

import { h, replace, setText, throttle } from "../app/dom.js";
import { get, runPath } from "../app/api.js";
import { listen } from "../app/live.js";
import { to } from "../app/router.js";
import { whole, number, ago, plural, percent } from "../app/format.js";
import { updateState, empty, command, prose } from "../parts/status.js";

const FIRST = 24;
/// The part of a sheet that a card shows: a large colour sheet has close to a megabyte.
const PART = "380x140";
const TOYS = ["ring", "grid"];

/// Running runs first, in a fixed order so that their cards don't move, then the others by their last change.
const isRunning = (run) => run.state === "running";
const order = (a, b) =>
  isRunning(b) - isRunning(a) || (isRunning(a) ? 0 : b.changed - a.changed) || b.id.localeCompare(a.id);

export async function show({ root, signal, title }) {
  title("Runs");
  new RunsPage(root, await get("/runs", signal), signal).follow();
}

class RunsPage {
  constructor(root, list, signal) {
    this.signal = signal;
    this.runs = new Map(list.map((run) => [run.id, run]));
    this.cards = new Map();
    this.chosen = new Set();
    this.limit = FIRST;
    this.build(root);
    this.arrange();
  }

  build(root) {
    this.list = h("ul", { class: "cards" });
    this.count = h("p", { class: "lead", role: "status" });
    this.search = h("input", {
      type: "search",
      placeholder: "Name, data or preset",
      "aria-label": "Search the runs",
      oninput: () => {
        this.limit = FIRST;
        this.arrange();
      },
    });
    this.more = h(
      "button",
      {
        class: "button",
        type: "button",
        hidden: true,
        onclick: () => {
          this.limit += 4 * FIRST;
          this.arrange();
        },
      },
      "Show more",
    );
    this.compare = h("a", { class: "button", href: to("compare"), hidden: true });
    this.tools = h("div", { class: "actions runs-tools" }, this.compare, this.search);
    this.none = h("div", { hidden: true });
    this.offline = h("p", { class: "small muted", role: "status", hidden: true }, "Connection lost. Trying again…");
    replace(
      root,
      h("div", { class: "page-head" }, h("div", {}, h("h1", {}, "Runs"), this.count), this.tools),
      this.offline,
      this.list,
      h("p", { class: "more" }, this.more),
      this.none,
    );
  }

  choose(id, on) {
    if (on) this.chosen.add(id);
    else this.chosen.delete(id);
    this.compare.hidden = this.chosen.size < 2;
    this.compare.href = to("compare", null, { runs: [...this.chosen].join(",") });
    setText(this.compare, `Compare ${this.chosen.size} runs`);
  }

  /// Shows the cards that match the search, in order. Cards whose place doesn't change aren't touched.
  arrange() {
    const wanted = this.search.value.trim().toLowerCase();
    const all = [...this.runs.values()];
    const found = all
      .filter((run) => !wanted || [run.id, run.data, run.preset, run.loss].join(" ").toLowerCase().includes(wanted))
      .sort(order);
    const running = all.filter(isRunning).length;
    setText(
      this.count,
      all.length
        ? `${plural(all.length, "run")}${running ? `, ${whole(running)} training now` : ""}${wanted ? `; ${whole(found.length)} match` : ""}`
        : "",
    );
    const shown = found.slice(0, this.limit).map((run) => this.card(run));
    if (shown.length !== this.list.children.length || shown.some((card, at) => this.list.children[at] !== card))
      this.list.replaceChildren(...shown);
    this.more.hidden = found.length <= this.limit;
    this.tools.hidden = all.length === 0;
    this.none.hidden = found.length > 0;
    if (!found.length)
      replace(this.none, all.length ? h("p", { class: "muted" }, `No run matches “${wanted}”.`) : noRuns());
  }

  card(run) {
    if (!this.cards.has(run.id))
      this.cards.set(
        run.id,
        card(run, (id, on) => this.choose(id, on)),
      );
    const { element, update } = this.cards.get(run.id);
    update(run);
    return element;
  }

  follow() {
    const soon = throttle(() => this.arrange(), 200);
    listen({
      path: () => "/events",
      signal: this.signal,
      on: {
        run: (run) => {
          this.runs.set(run.id, run);
          soon();
        },
        gone: ({ id }) => {
          this.runs.delete(id);
          this.cards.delete(id);
          this.choose(id, false);
          soon();
        },
      },
      state: (up) => {
        this.offline.hidden = up;
      },
    });
  }
}

const noRuns = () =>
  empty(
    "No runs yet",
    "A run is one training: its images, its losses, its checkpoints. Start the first one here or from a terminal; it appears on this page automatically.",
    h("p", {}, h("a", { class: "button primary", href: to("new") }, "Start a run")),
    command("faussaire train --preset quick"),
  );

function card(run, choose) {
  const part = {
    picture: h("img", { class: "pixels", alt: "", loading: "lazy", decoding: "async" }),
    state: h("span", {}),
    about: h("p", { class: "muted small" }),
    progress: h("progress", { max: 1, "aria-label": `Progress of ${run.id}` }),
    steps: h("span", { class: "number" }),
    speed: h("span", { class: "number muted" }),
    score: h("p", { class: "small card-score" }),
    changed: h("span", { class: "muted small" }),
    error: h("p", { class: "small card-error" }),
  };
  part.frame = h("div", { class: "card-picture" }, part.picture);
  // The picture of a toy data set is one plot, to be seen whole; of a sheet the first rows are enough.
  if (TOYS.includes(run.data)) part.frame.classList.add("plot");
  const pick = h("input", {
    type: "checkbox",
    "aria-label": `Select ${run.id} for comparison`,
    onchange: (event) => choose(run.id, event.target.checked),
  });
  const element = h(
    "li",
    { class: "card run-card" },
    part.frame,
    h(
      "div",
      { class: "card-body" },
      h("div", { class: "row spread" }, part.state, part.changed),
      h("h2", {}, h("a", { class: "card-link", href: to("run", run.id) }, run.id)),
      part.about,
      part.error,
      h(
        "div",
        { class: "card-progress" },
        part.progress,
        h("p", { class: "row spread small" }, part.steps, part.speed),
      ),
      h("div", { class: "row spread card-foot" }, part.score, h("label", { class: "check" }, pick, "Compare")),
    ),
  );
  return { element, update: (now) => update(part, now) };
}

function update(part, run) {
  updateState(part.state, run.state);
  setText(part.changed, ago(run.changed));
  setText(part.about, [run.data, run.preset ? `preset ${run.preset}` : null, run.loss].filter(Boolean).join(" · "));
  part.error.hidden = !run.error;
  if (run.error) replace(part.error, prose(run.error));
  const crop = TOYS.includes(run.data) ? "" : `?part=${PART}`;
  const source = run.sheet ? `/api${runPath(run.id, `/sheets/${encodeURIComponent(run.sheet)}${crop}`)}` : null;
  part.frame.classList.toggle("no-picture", !source);
  part.picture.hidden = !source;
  if (source && part.picture.getAttribute("src") !== source) part.picture.src = source;
  const share = run.steps ? run.step / run.steps : null;
  part.progress.parentElement.hidden = run.state === "damaged" && !run.step;
  if (share === null) part.progress.removeAttribute("value");
  else part.progress.value = Math.min(1, share);
  part.progress.hidden = share === null && run.state !== "running";
  setText(
    part.steps,
    run.steps
      ? `step ${whole(run.step)} of ${whole(run.steps)}${run.state === "running" ? ` (${percent(share)})` : ""}`
      : `step ${whole(run.step ?? 0)}`,
  );
  setText(part.speed, run.images_per_s ? `${whole(run.images_per_s)} images/s` : "");
  const shown = run.score
    ? [h("span", { class: "muted" }, `${run.score.name} `), h("b", { class: "number" }, number(run.score.value))]
    : [];
  if (run.findings)
    shown.push(
      h("span", { class: "finding-count" }, `${shown.length ? " · " : ""}doctor: ${plural(run.findings, "finding")}`),
    );
  replace(part.score, shown);
}
