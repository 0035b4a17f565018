// Entry point of the studio: the list of pages, and the router that shows one of them.

import { startRouter } from "./router.js";

startRouter({
  runs: { load: () => import("/pages/runs.js"), section: "runs" },
  run: { load: () => import("/pages/run.js"), section: "runs" },
  play: { load: () => import("/pages/play.js"), section: "runs" },
  expert: { load: () => import("/pages/expert.js"), section: "runs" },
  compare: { load: () => import("/pages/compare.js"), section: "compare" },
  learn: { load: () => import("/pages/learn.js"), section: "learn" },
  new: { load: () => import("/pages/new.js"), section: "new" },
});
