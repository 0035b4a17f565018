// The client of the studio's HTTP API: JSON in and out, raw pixels, streams of lines. Every error is a `Failure` that says what
// happened and what to do.

/// What went wrong, with the server's hint.
export class Failure extends Error {
  constructor(message, hint, status) {
    super(message);
    this.hint = hint ?? null;
    this.status = status ?? 0;
  }
}

/// A busy studio answers 429: the request is repeated a few times.
const RETRIES = 12;
const RETRY_MS = 400;

async function request(path, options, retries = RETRIES) {
  let answer;
  try {
    answer = await fetch(`/api${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(
      "The studio doesn't respond.",
      "Is `faussaire studio` still running? Start it again and reload this page.",
    );
  }
  if (answer.ok) return answer;
  if (answer.status === 429 && retries > 0) {
    await new Promise((done) => setTimeout(done, RETRY_MS));
    options?.signal?.throwIfAborted();
    return request(path, options, retries - 1);
  }
  const said = await answer.json().catch(() => ({}));
  throw new Failure(
    said.error ?? `The studio answered ${answer.status} ${answer.statusText}.`,
    said.hint,
    answer.status,
  );
}

const json = (body, signal) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body ?? {}),
  signal,
});

/// The API path of a run, or of something below it.
export const runPath = (id, tail = "") => `/runs/${encodeURIComponent(id)}${tail}`;

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
    throw new Failure(
      `The studio sent ${data.length} bytes for images of shape ${shape.join(" x ")}.`,
      "This is a bug in the studio. Please report it.",
    );
  }
  return { shape, data };
}

/// Points in the plane, sent as numbers: [[x, y], ...] in -1 to 1.
export async function points(path, body, signal) {
  const { values } = await post(path, { ...body, format: "values" }, signal);
  return Array.from({ length: values.length / 2 }, (_, at) => [values[2 * at], values[2 * at + 1]]);
}

/// A stream of JSON lines; calls `onLine` for each as it arrives.
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

/// Downloads a file under the name that the server gives it. Returns { name, size, difference, checked }: the maximum difference
/// from the run and how it was measured, where the server says so.
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
  return {
    name: link.download,
    size: blob.size,
    difference: said("x-difference") === null ? null : Number(said("x-difference")),
    checked: said("x-checked"),
  };
}

/// Bytes to base64 and back, for pixels inside JSON.
export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
export const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/// Drops requests that are out of date: while one is in progress, only the last of those that follow is kept. For sliders.
export function newest(work) {
  let busy = false;
  let waiting = null;
  return async function run(...given) {
    if (busy) {
      waiting = given;
      return;
    }
    busy = true;
    try {
      await work(...given);
    } finally {
      busy = false;
      if (waiting) {
        const next = waiting;
        waiting = null;
        run(...next);
      }
    }
  };
}
