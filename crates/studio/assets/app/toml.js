// Reads the recipes that Faussaire writes, as a flat map from key (`train.batch`, as after --set) to the value's text. Only
// to show and compare settings: it knows TOML's tables, inline tables and arrays, as far as they occur there.

/// { "train.batch": "64", ... } in the order of the file.
export function flatten(text) {
  const found = {};
  let section = "";
  for (const line of statements(text)) {
    const head = /^\[([^\]]+)\]$/.exec(line);
    if (head) { section = `${head[1].trim()}.`; continue; }
    const equals = line.indexOf("=");
    if (equals > 0) put(found, section + line.slice(0, equals).trim(), line.slice(equals + 1).trim());
  }
  return found;
}

function put(found, key, value) {
  if (!value.startsWith("{")) { found[key] = unquote(value); return; }
  for (const part of split(value.slice(1, -1))) {
    const equals = part.indexOf("=");
    if (equals > 0) put(found, `${key}.${part.slice(0, equals).trim()}`, part.slice(equals + 1).trim());
  }
}

/// Lines joined where an array runs over several, comments taken off.
function statements(text) {
  const whole = [];
  let open = "";
  for (const raw of text.split("\n")) {
    const line = uncomment(raw).trim();
    if (!line) continue;
    open = open ? `${open} ${line}` : line;
    if (depth(open) > 0) continue;
    whole.push(open);
    open = "";
  }
  return whole;
}

function uncomment(line) {
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '"' && line[at - 1] !== "\\") quoted = !quoted;
    if (line[at] === "#" && !quoted) return line.slice(0, at);
  }
  return line;
}

const bare = (text) => text.replace(/"(\\.|[^"\\])*"/g, "");
function depth(text) {
  const signs = bare(text);
  return (signs.match(/[[{]/g)?.length ?? 0) - (signs.match(/[\]}]/g)?.length ?? 0);
}

/// The parts of an inline table, split at its own commas only.
function split(text) {
  const parts = [];
  let part = "";
  for (const piece of text.split(",")) {
    part = part ? `${part},${piece}` : piece;
    if (depth(part) > 0 || (part.match(/"/g)?.length ?? 0) % 2) continue;
    parts.push(part.trim());
    part = "";
  }
  return parts.filter(Boolean);
}

const unquote = (value) => (/^"[^"\\]*"$/.test(value) ? value.slice(1, -1) : value.replace(/,\s*\]$/, "]"));
