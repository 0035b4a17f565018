// The studio's HTTP interface, and nothing about how it looks: JSON in and out, raw pixels, streams of lines. Every failure
// is a `Failure` with what happened and what to do.

/// What went wrong, with the server's hint.
export class Failure extends Error {
  constructor(message, hint, status) {
    super(message);
    this.hint = hint ?? null;
    this.status = status ?? 0;
  }
}

/// A studio with too much to do says 429: it is asked again, for a while.
const PATIENCE = 12;
const PAUSE_MS = 400;

async function request(path, options, patience = PATIENCE) {
  let answer;
  try {
    answer = await fetch(`/api${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The studio doesn't answer.", "Is `faussaire studio` still running? Start it again and reload this page.");
  }
  if (answer.ok) return answer;
  if (answer.status === 429 && patience > 0) {
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    options?.signal?.throwIfAborted();
    return request(path, options, patience - 1);
  }
  const said = await answer.json().catch(() => ({}));
  throw new Failure(said.error ?? `The studio answered ${answer.status} ${answer.statusText}.`, said.hint, answer.status);
}

const json = (body, signal) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}), signal });

/// The path of something that belongs to a run.
export const ofRun = (id, tail = "") => `/runs/${encodeURIComponent(id)}${tail}`;

export const get = async (path, signal) => (await request(path, { signal })).json();

export async function post(path, body, signal) {
  const text = await (await request(path, json(body, signal))).text();
  return text ? JSON.parse(text) : null;
}

/// Raw pixels: { shape: [n, h, w, c], data: Uint8Array }.
export async function pixels(path, body, signal) {
  const answer = await request(path, json(body, signal));
  const shape = (answer.headers.get("x-shape") ?? "").split(",").map(Number);
  const data = new Uint8Array(await answer.arrayBuffer());
  if (shape.length !== 4 || data.length !== shape.reduce((a, b) => a * b, 1)) {
    throw new Failure(`The studio sent ${data.length} bytes for images of shape ${shape.join(" x ")}.`, "This is a bug of the studio: please report it.");
  }
  return { shape, data };
}

/// Points in the plane, which travel as numbers: [[x, y], ...] in -1 to 1.
export async function points(path, body, signal) {
  const { values } = await post(path, { ...body, format: "values" }, signal);
  return Array.from({ length: values.length / 2 }, (_, at) => [values[2 * at], values[2 * at + 1]]);
}

/// A stream of JSON lines, each given to `onLine` as it comes.
export async function lines(path, body, onLine, signal) {
  const reader = (await request(path, json(body, signal))).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += value ?? "";
    const ready = rest.split("\n");
    rest = done ? "" : ready.pop();
    for (const line of ready) {
      if (!line.trim()) continue;
      const object = JSON.parse(line);
      if (object.error && object.step === undefined) throw new Failure(object.error, object.hint);
      onLine(object);
    }
    if (done) return;
  }
}

/// A file, under the name that the server gives it, handed to the browser's downloads. Returns { name, size, difference, checked }: how
/// far it is from the run, and how that was found out, where the server says so.
export async function download(path, fallback, signal) {
  const answer = await request(path, { signal });
  const named = /filename="?([^";]+)"?/.exec(answer.headers.get("content-disposition") ?? "");
  const blob = await answer.blob();
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = named?.[1] ?? fallback;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  const said = (name) => answer.headers.get(name);
  return { name: link.download, size: blob.size, difference: said("x-difference") === null ? null : Number(said("x-difference")), checked: said("x-checked") };
}

/// Bytes to base64 and back, for pixels that travel inside JSON.
export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
export const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/// Sends the newest request only: while one is under way, of those that follow just the last is sent. For sliders.
export function newest(work) {
  let busy = false;
  let waiting = null;
  return async function run(...given) {
    if (busy) { waiting = given; return; }
    busy = true;
    try {
      await work(...given);
    } finally {
      busy = false;
      if (waiting) { const next = waiting; waiting = null; run(...next); }
    }
  };
}
