// The router: addresses are #/PAGE/ID?key=value. A page is a module with `show(view)`; `view` has the element to draw into, the
// parts of the address, and a signal that aborts when the visitor leaves the page, which stops everything the page started.

import { h, replace } from "./dom.js";
import { loading, problem } from "../parts/status.js";

const HOME = "runs";
let leave = new AbortController();

/// Parses an address: { page, id, query }.
export function address(hash = location.hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const [page, id] = path.split("/");
  return { page: page || HOME, id: id ? decodeURIComponent(id) : null, query: new URLSearchParams(query ?? "") };
}

/// The address of a page, as an href.
export function to(page, id, query) {
  const tail = query ? `?${new URLSearchParams(query)}` : "";
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ""}${tail}`;
}

/// Updates the address bar without loading a page.
export function remember(page, id, query) {
  history.replaceState(null, "", to(page, id, query));
}

/// Shows the page of the address, now and after each change.
export function startRouter(pages) {
  const main = document.getElementById("main");
  const go = async () => {
    if (location.hash === "#main") return; // the skip link
    leave.abort();
    leave = new AbortController();
    await draw(main, pages, leave.signal);
  };
  addEventListener("hashchange", go);
  go();
}

async function draw(main, pages, signal) {
  const { page, id, query } = address();
  const known = pages[page];
  markSection(known?.section);
  replace(main, loading());
  if (!known) {
    title(main, "No such page");
    replace(
      main,
      h("h1", { tabindex: -1 }, "No such page"),
      h("p", {}, `There is no page “${page}”. `, h("a", { href: to(HOME) }, "All runs")),
    );
    return;
  }
  const root = h("div", { class: `page page-${page}` });
  const setTitle = (text) => title(main, text);
  try {
    const module = await known.load();
    if (signal.aborted) return;
    const shown = module.show({ root, id, query, signal, title: setTitle });
    await shown;
    if (!signal.aborted) arrive(main, root);
  } catch (error) {
    if (signal.aborted) return;
    console.error(error);
    title(main, "Something went wrong");
    arrive(
      main,
      h(
        "div",
        {},
        h("h1", { tabindex: -1, class: "visually-hidden" }, "Something went wrong"),
        problem(error, () => dispatchEvent(new Event("hashchange"))),
      ),
    );
  }
}

/// Shows the page and moves the focus to its heading, as a full page load would.
function arrive(main, root) {
  const first = !main.dataset.arrived;
  replace(main, root);
  main.dataset.arrived = "yes";
  if (first) return;
  scrollTo(0, 0);
  const heading = root.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

function title(main, text) {
  document.title = `${text} · Faussaire studio`;
}

function markSection(section) {
  for (const link of document.querySelectorAll(".top nav a")) {
    if (address(link.hash).page === section) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
