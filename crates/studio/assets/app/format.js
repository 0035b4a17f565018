// Formats numbers and times, so that a loss looks the same in a chart, a table and a sentence.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const whole = (value) => (Number.isFinite(value) ? WHOLE.format(value) : "–");

/// Three significant digits; an exponent only below 0.001.
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  let text;
  if (size === 0) text = "0";
  else if (size >= 1000) text = WHOLE.format(value);
  else if (size >= 0.001) text = value.toPrecision(3);
  else text = value.toExponential(1);
  return text.replace(/^-/, "−");
}

export const percent = (share) => (Number.isFinite(share) ? `${Math.round(share * 100)}%` : "–");

/// A duration: "45 s", "3 min 20 s", "2 h 5 min".
export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 1) return "under 1 s";
  const all = Math.round(seconds);
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min${all % 60 && all < 600 ? ` ${all % 60} s` : ""}`;
  if (all < 172800)
    return `${Math.floor(all / 3600)} h${Math.floor((all % 3600) / 60) ? ` ${Math.floor((all % 3600) / 60)} min` : ""}`;
  return `${Math.round(all / 86400)} days`;
}

/// The time since `unixSeconds`: "just now", "5 min ago", "3 days ago".
export function ago(unixSeconds) {
  const gone = Date.now() / 1000 - unixSeconds;
  if (!unixSeconds || !Number.isFinite(gone)) return "";
  if (gone < 60) return "just now";
  if (gone < 3600) return `${Math.floor(gone / 60)} min ago`;
  if (gone < 86400) return `${Math.floor(gone / 3600)} h ago`;
  return `${Math.floor(gone / 86400)} d ago`;
}

export function bytes(count) {
  if (!Number.isFinite(count)) return "–";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let left = count;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? left : left.toPrecision(3)}\u00a0${units[unit]}`;
}

/// "1 image", "3 images".
export const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;

/// Splits a text with inline code (`like this`): [text, code, text, ...].
export const codeParts = (text) => String(text ?? "").split("`");

/// A score's name without its sample count and features, for titles.
export function scoreTitle(name) {
  const words = String(name)
    .replace(/-\d.*$/, "")
    .replaceAll("-", " ")
    .replace("wasserstein", "Wasserstein")
    .replace("frechet", "Fréchet");
  return words[0].toUpperCase() + words.slice(1);
}
