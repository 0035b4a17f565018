// Creates elements: h("p", { class: "muted" }, "text", child). Text is always text, never markup, so nothing from a run's folder
// can become markup of the page.

const SVG = "http://www.w3.org/2000/svg";

/// An HTML element. Properties beginning with `on` are listeners; `null`, `undefined` and `false` are left out.
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/// An SVG element.
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "selected")
      element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/// Replaces the children of an element.
export function replace(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/// Sets text only if it changed, so that live values cause no needless layout and no needless announcements.
export function setText(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/// An icon from one path, 24 x 24.
export function icon(path) {
  return s(
    "svg",
    {
      viewBox: "0 0 24 24",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.8,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
    },
    s("path", { d: path }),
  );
}

/// Throttles: calls `work` at most once per `pause` ms, and once more after the last call.
export function throttle(work, pause) {
  let timer = null;
  let last = 0;
  return (...given) => {
    clearTimeout(timer);
    const wait = Math.max(0, last + pause - performance.now());
    timer = setTimeout(() => {
      last = performance.now();
      work(...given);
    }, wait);
  };
}

/// Debounces: calls `work` once, `pause` ms after the last call.
export function debounce(work, pause) {
  let timer = null;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), pause);
  };
}

/// Whether the visitor prefers reduced motion.
export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
