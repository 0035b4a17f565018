// Convolutions, transposed convolutions and upsampling before a convolution, with and without WebAssembly. Part of the page's
// engine: engine.js comes before it in the same script.

// One axis of a convolution, for each phase: the input pixels of phase r start `first` pixels from its own position, and
// `groups[i]` are the kernel positions whose weights the i-th of these pixels is multiplied with.

/** An axis of a convolution with `pad` zeros before the image, after an upsampling by `up`. */
function conv_axis(kernel, pad, up) {
  return Array.from({ length: up }, (_, r) => {
    const places = Array.from({ length: kernel }, (_, k) => Math.floor((r + k - pad) / up));
    const groups = Array.from({ length: places[kernel - 1] - places[0] + 1 }, () => []);
    places.forEach((place, k) => groups[place - places[0]].push(k));
    return { first: places[0], groups };
  });
}

/** An axis of a transposed convolution. */
function transposed_axis(kernel, stride, crop) {
  return Array.from({ length: stride }, (_, r) => {
    const own = (r + crop) % stride,
      base = Math.floor((r + crop) / stride),
      groups = [];
    for (let k = own; k < kernel; k += stride) groups.unshift([k]);
    return { first: base - groups.length + 1, groups };
  });
}

/**
 * A convolution from images `input` to images `output`: output pixel `q * outward + r` of phase r reads input pixels
 * from `q * inward + first`. `at` finds a weight in `kernel`.
 */
function convolution(input, output, axes, inward, outward, bias, at, kernel, [from, to]) {
  const [h, w] = input,
    [oh, ow] = output;
  const counts = (a, n) => axes[a].map((_, r) => Math.ceil((n - r) / outward[a]));
  const [rows, columns] = [counts(0, oh), counts(1, ow)];
  const margin = (a, n, count) => {
    const before = Math.max(0, ...axes[a].map((p) => -p.first));
    const last = axes[a].map((p, r) => (count[r] - 1) * inward[a] + p.first + p.groups.length - 1);
    return [before, Math.max(0, ...last.map((l) => l - n + 1))];
  };
  const [[top, bottom], [left, right]] = [margin(0, h, rows), margin(1, w, columns)];
  const wide = w + left + right,
    high = h + top + bottom;
  const own = fast,
    lanes = own ? 8 : 2,
    padded_to = Math.ceil(to / lanes) * lanes,
    stride = own ? padded_to : to;
  const phases = [];
  axes[0].forEach((vertical, ry) =>
    axes[1].forEach((horizontal, rx) => {
      const pixels = rows[ry] * columns[rx],
        whole = Math.ceil(pixels / 4) * 4;
      const [source, target] = [new Int32Array(whole), new Int32Array(whole)];
      // The last group of four is filled up with the last pixel.
      for (let i = 0; i < whole; i++) {
        const p = Math.min(i, pixels - 1),
          qx = p % columns[rx],
          qy = (p - qx) / columns[rx];
        source[i] = ((qy * inward[0] + vertical.first + top) * wide + qx * inward[1] + horizontal.first + left) * from;
        target[i] = ((qy * outward[0] + ry) * ow + qx * outward[1] + rx) * stride;
      }
      const lines = Int32Array.from(vertical.groups, (_, i) => i * wide * from),
        length = horizontal.groups.length * from;
      const packed = new (lanes === 2 ? Float64Array : Float32Array)(padded_to * lines.length * length);
      let place = 0;
      for (let o = 0; o < to; o += lanes) {
        for (const kys of vertical.groups) {
          for (const kxs of horizontal.groups) {
            for (let c = 0; c < from; c++, place += lanes) {
              for (let lane = 0; lane < lanes && o + lane < to; lane++) {
                let sum = 0;
                for (const ky of kys) for (const kx of kxs) sum += at(ky, kx, c, o + lane, kernel);
                packed[place + lane] = sum;
              }
            }
          }
        }
      }
      if (pixels > 0) phases.push({ source, target, lines, length, packed, count: whole, rows: lines.length });
    }),
  );
  const offsets = new (lanes === 2 ? Float64Array : Float32Array)(padded_to);
  offsets.set(bias);
  const sizes = { h, w, from, high, wide, top, left, pixels: oh * ow, to, padded_to };
  return own ? own.convolution(phases, offsets, sizes) : slow_convolution(phases, offsets, sizes);
}

function slow_convolution(phases, bias, { h, w, from, high, wide, top, left, pixels, to }) {
  const plain = high === h && wide === w;
  return (x) => {
    let padded = x;
    if (!plain) {
      padded = new Float64Array(high * wide * from);
      for (let y = 0; y < h; y++)
        padded.set(x.subarray(y * w * from, (y + 1) * w * from), ((y + top) * wide + left) * from);
    }
    const y = new Float64Array(pixels * to);
    for (const phase of phases)
      multiply(padded, phase.packed, bias, phase.source, phase.target, phase.lines, phase.length, to, y);
    return y;
  };
}

/** Four pixels by two channels at a time, so that each number is read once for two or four products. */
function multiply(x, w, bias, source, target, lines, length, to, y) {
  const rows = lines.length,
    block = rows * length * 2;
  for (let o = 0, begin = 0; o < to; o += 2, begin += block) {
    const two = o + 1 < to,
      b0 = bias[o],
      b1 = two ? bias[o + 1] : 0;
    for (let p = 0; p < source.length; p += 4) {
      const p0 = source[p],
        p1 = source[p + 1],
        p2 = source[p + 2],
        p3 = source[p + 3];
      let a0 = b0,
        a1 = b0,
        a2 = b0,
        a3 = b0,
        c0 = b1,
        c1 = b1,
        c2 = b1,
        c3 = b1,
        k = begin;
      for (let r = 0; r < rows; r++) {
        let i0 = p0 + lines[r],
          i1 = p1 + lines[r],
          i2 = p2 + lines[r],
          i3 = p3 + lines[r];
        for (let end = k + 2 * length; k < end; k += 2) {
          const u = w[k],
            v = w[k + 1],
            x0 = x[i0++],
            x1 = x[i1++],
            x2 = x[i2++],
            x3 = x[i3++];
          a0 += x0 * u;
          c0 += x0 * v;
          a1 += x1 * u;
          c1 += x1 * v;
          a2 += x2 * u;
          c2 += x2 * v;
          a3 += x3 * u;
          c3 += x3 * v;
        }
      }
      y[target[p] + o] = a0;
      y[target[p + 1] + o] = a1;
      y[target[p + 2] + o] = a2;
      y[target[p + 3] + o] = a3;
      if (two) {
        y[target[p] + o + 1] = c0;
        y[target[p + 1] + o + 1] = c1;
        y[target[p + 2] + o + 1] = c2;
        y[target[p + 3] + o + 1] = c3;
      }
    }
  }
}

/** kernel.wat, compiled. */
const KERNEL =
  "AGFzbQEAAAABDwFgC39/f39/f39/f39/AAIIAQFlAW0CAAEDAgEABwUBAWYAAAq4BAG1BAIKfwt7IApBAnQhCiAGQQJ0IQYgCUEFdCEJA0BBACEMA0AgAyALav0ABAAhGCADIAtq/QAEECEcIBghGSAYIRogGCEbIBwhHSAcIR4gHCEfIAIhDkEAIQ0CQCAIIAlsRQ0AA0AgACAHIA1BAnRqKAIAaiEQIBAgBCAMaigCAGohESAQIAQgDGooAgRqIRIgECAEIAxqKAIIaiETIBAgBCAMaigCDGohFCAOIAlqIQ8DQCAO/QAEACEVIA79AAQQIRYgEf0JAgAhFyAYIBcgFf3mAf3kASEYIBwgFyAW/eYB/eQBIRwgEv0JAgAhFyAZIBcgFf3mAf3kASEZIB0gFyAW/eYB/eQBIR0gE/0JAgAhFyAaIBcgFf3mAf3kASEaIB4gFyAW/eYB/eQBIR4gFP0JAgAhFyAbIBcgFf3mAf3kASEbIB8gFyAW/eYB/eQBIR8gEUEEaiERIBJBBGohEiATQQRqIRMgFEEEaiEUIA5BIGohDiAOIA9JDQALIA1BAWohDSANIAhJDQALCyABIAtqIAUgDGooAgBqIREgASALaiAFIAxqKAIEaiESIAEgC2ogBSAMaigCCGohEyABIAtqIAUgDGooAgxqIRQgESAY/QsEACARIBz9CwQQIBIgGf0LBAAgEiAd/QsEECATIBr9CwQAIBMgHv0LBBAgFCAb/QsEACAUIB/9CwQQIAxBEGohDCAMIAZJDQALIAIgCCAJbGohAiALQSBqIQsgCyAKSQ0ACws=";

/** The WebAssembly module; null without 128-bit SIMD. */
let fast = null;

/** Loads the inner loop as WebAssembly, with a memory that keeps the weights; null where the browser doesn't support it. */
function Fast() {
  let memory, run;
  try {
    memory = new WebAssembly.Memory({ initial: 1 });
    const bytes = Uint8Array.from(atob(KERNEL), (c) => c.charCodeAt(0));
    run = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { m: memory } }).exports.f;
  } catch {
    return null;
  }
  let end = 0,
    scratch = -1;
  const largest = [0, 0];
  const reserve = (bytes) => {
    const place = end;
    end = Math.ceil((end + bytes) / 16) * 16;
    const missing = Math.ceil((end - memory.buffer.byteLength) / 65536);
    if (missing > 0) memory.grow(missing);
    return place;
  };
  const keep = (array) => {
    const place = reserve(array.byteLength);
    new Uint8Array(memory.buffer, place, array.byteLength).set(
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
    return place;
  };
  const bytes = (places) => places.map((place) => 4 * place);
  return {
    convolution(phases, bias, { h, w, from, high, wide, top, left, pixels, to, padded_to }) {
      const offsets = keep(bias);
      const kept = phases.map((p) => ({
        source: keep(bytes(p.source)),
        target: keep(bytes(p.target)),
        lines: keep(bytes(p.lines)),
        weights: keep(p.packed),
        count: p.count,
        rows: p.rows,
        length: p.length,
      }));
      const [before, behind] = [high * wide * from, pixels * padded_to];
      [before, behind].forEach((size, i) => (largest[i] = Math.max(largest[i], size)));
      return (x) => {
        // All layers share one buffer for the input and one for the output.
        if (scratch < 0) scratch = reserve(4 * (largest[0] + largest[1]) + 64);
        const into = scratch,
          out = scratch + Math.ceil(largest[0] / 4) * 16;
        const padded = new Float32Array(memory.buffer, into, before);
        if (before > x.length) padded.fill(0);
        for (let y = 0; y < h; y++)
          padded.set(x.subarray(y * w * from, (y + 1) * w * from), ((y + top) * wide + left) * from);
        for (const p of kept)
          run(into, out, p.weights, offsets, p.source, p.target, p.count, p.lines, p.rows, p.length, padded_to);
        const made = new Float32Array(memory.buffer, out, behind);
        if (padded_to === to) return made.slice();
        const y = new Float32Array(pixels * to);
        for (let p = 0; p < pixels; p++) for (let o = 0; o < to; o++) y[p * to + o] = made[p * padded_to + o];
        return y;
      };
    },
  };
}
