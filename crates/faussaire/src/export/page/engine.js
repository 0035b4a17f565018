"use strict";
// Draws images with a generator: a list of layers and their weights in, pixels out. Images are [height, width, channels].
//
// Nearly all of the work is in convolutions, and all of these are one thing: every output pixel is a weighted sum over a
// few rows of the input. A convolution behind an upsampling, or a transposed one, is that once for each phase of the larger
// image, with small kernels whose weights were added up: no zero is multiplied and no pixel visited twice.

/** A generator ready to draw: `model` is what the page says of the net, `floats` all its weights. `slow`: without WebAssembly. */
function Engine(model, floats, slow) {
  fast = slow ? null : Fast();
  const steps = [];
  const layers = model.layers;
  for (let i = 0; i < layers.length; i++) {
    let layer = layers[i], up = 1;
    const next = layers[i + 1];
    if (layer.form === "upsample" && !layer.bilinear && next && next.form === "conv" && next.stride.every((s) => s === 1)) {
      up = layer.factor;
      layer = next;
      i++;
    }
    const weight = (name) => {
      const place = layer.weights[name];
      return place && floats.subarray(place[0], place[0] + place[1]);
    };
    steps.push(FORMS[layer.form](layer, weight, up));
  }
  return {
    /** The pixels for one noise vector and, for a net that takes any, one row of labels. */
    draw(noise, labels) {
      const pass = { labels: labels || [], open: [] };
      return steps.reduce((x, step) => step(x, pass), Float64Array.from(noise));
    },
  };
}

/** What each form computes: `(layer, weight, upsampling before it) => (x, pass) => y`. */
const FORMS = {
  nothing: () => (x) => x,
  reshape: () => (x) => x,
  dense: (layer, weight) => {
    const [from, to] = [layer.input[2], layer.output[2]];
    const one = [{ first: 0, groups: [[0]] }];
    return convolution(layer.input, layer.output, [one, one], [1, 1], [1, 1], weight("bias"), (_, __, c, o, w) => w[c * to + o],
      weight("weight"), [from, to]);
  },
  conv: (layer, weight, up) => {
    const [kw, from, to] = [layer.kernel[1], layer.input[2], layer.output[2]];
    const small = [layer.input[0] / up, layer.input[1] / up, from];
    const axes = [0, 1].map((a) => conv_axis(layer.kernel[a], layer.pads[a], up));
    return convolution(small, layer.output, axes, layer.stride, [up, up], weight("bias"),
      (ky, kx, c, o, w) => w[((ky * kw + kx) * from + c) * to + o], weight("weight"), [from, to]);
  },
  convtranspose: (layer, weight) => {
    const [kw, from, to] = [layer.kernel[1], layer.input[2], layer.output[2]];
    const axes = [0, 1].map((a) => transposed_axis(layer.kernel[a], layer.stride[a], layer.crop[a]));
    return convolution(layer.input, layer.output, axes, [1, 1], layer.stride, weight("bias"),
      (ky, kx, c, o, w) => w[((ky * kw + kx) * to + o) * from + c], weight("weight"), [from, to]);
  },
  upsample: (layer) => (layer.bilinear ? blend : repeat)(layer.input, layer.factor),
  averagepool: (layer) => average(layer.input, layer.factor),
  globalpool: (layer) => {
    const c = layer.output[2], scale = layer.sum ? 1 : c / size(layer.input);
    return (x) => {
      const y = new Float64Array(c);
      for (let i = 0; i < x.length; i++) y[i % c] += x[i] * scale;
      return y;
    };
  },
  pixelshuffle: (layer) => {
    const [, w, from] = layer.input, [, wide, c] = layer.output, r = layer.factor;
    return (x) => {
      const y = new Float64Array(x.length);
      for (let i = 0; i < x.length; i++) {
        const k = i % from, at = (i - k) / from, px = at % w, py = (at - px) / w;
        const j = k % r, row = Math.floor(k / r) % r, channel = Math.floor(k / (r * r));
        y[((py * r + row) * wide + px * r + j) * c + channel] = x[i];
      }
      return y;
    };
  },
  batchnorm: (layer, weight) => {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(weight), c = gamma.length;
    const scale = Float64Array.from(gamma, (g, i) => g / Math.sqrt(variance[i] + layer.epsilon));
    const shift = Float64Array.from(beta, (b, i) => b - mean[i] * scale[i]);
    return (x) => x.map((v, i) => v * scale[i % c] + shift[i % c]);
  },
  conditionalbatchnorm: (layer, weight) => {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(weight), c = mean.length;
    return (x, pass) => {
      const none = pass.labels.every((l) => l === 0);
      const held = pass.labels.map((l) => (none ? 1 : l)), total = held.reduce((a, b) => a + b, 0);
      const row = (table) => mix(held.map((l) => l / total), table, c);
      const [scale, shift] = [row(gamma), row(beta)];
      return x.map((v, i) => ((v - mean[i % c]) / Math.sqrt(variance[i % c] + layer.epsilon)) * scale[i % c] + shift[i % c]);
    };
  },
  groupnorm: (layer, weight) => {
    const [gamma, beta] = [weight("gamma"), weight("beta")], c = gamma.length, wide = c / layer.groups;
    return (x) => {
      const count = x.length / layer.groups, mean = new Float64Array(layer.groups), spread = new Float64Array(layer.groups);
      const group = (i) => Math.floor((i % c) / wide);
      x.forEach((v, i) => (mean[group(i)] += v / count));
      x.forEach((v, i) => (spread[group(i)] += (v - mean[group(i)]) ** 2 / count));
      return x.map((v, i) => ((v - mean[group(i)]) / Math.sqrt(spread[group(i)] + layer.epsilon)) * gamma[i % c] + beta[i % c]);
    };
  },
  pixelnorm: (layer) => {
    const c = layer.input[2];
    return (x) => {
      const y = new Float64Array(x.length);
      for (let p = 0; p < x.length; p += c) {
        let square = 0;
        for (let k = 0; k < c; k++) square += x[p + k] * x[p + k];
        const scale = 1 / Math.sqrt(square / c + layer.epsilon);
        for (let k = 0; k < c; k++) y[p + k] = x[p + k] * scale;
      }
      return y;
    };
  },
  relu: () => (x) => x.map((v) => (v > 0 ? v : 0)),
  leakyrelu: (layer) => (x) => x.map((v) => (v > 0 ? v : v * layer.slope)),
  tanh: () => (x) => x.map(Math.tanh),
  sigmoid: () => (x) => x.map((v) => 1 / (1 + Math.exp(-v))),
  open: () => (x, pass) => (pass.open.push(x), x),
  close: (layer, weight) => {
    // What the block began with has the branch's size, or `down` times or one `up`th of it.
    const [h, w, c] = layer.output, kernel = weight("weight"), scale = layer.down / layer.up;
    const from = kernel ? kernel.length / c : c, before = [h * scale, w * scale, from], between = [h / layer.up, w / layer.up, from];
    const one = [{ first: 0, groups: [[0]] }], behind = [between[0], between[1], c];
    const path = [];
    if (layer.down > 1) path.push(average(before, layer.down));
    if (kernel) {
      path.push(convolution(between, behind, [one, one], [1, 1], [1, 1], new Float64Array(c), (_, __, i, o, k) => k[i * c + o],
        kernel, [from, c]));
    }
    if (layer.up > 1) path.push(repeat(behind, layer.up));
    return (x, pass) => {
      const shortcut = path.reduce((s, step) => step(s, pass), pass.open.pop());
      return x.map((v, i) => v + shortcut[i]);
    };
  },
  embedding: (layer, weight) => {
    const table = weight("table"), from = layer.input[2], to = layer.output[2], more = to - from;
    return (x, pass) => {
      const values = mix(pass.labels, table, (x.length / from) * more), y = new Float64Array((x.length / from) * to);
      for (let p = 0; p * from < x.length; p++) {
        y.set(x.subarray(p * from, (p + 1) * from), p * to);
        y.set(values.subarray(p * more, (p + 1) * more), p * to + from);
      }
      return y;
    };
  },
  projection: (layer, weight) => {
    const [kernel, bias, table] = ["weight", "bias", "table"].map(weight);
    return (x, pass) => {
      const row = mix(pass.labels, table, x.length);
      return Float64Array.of(x.reduce((sum, v, i) => sum + v * (kernel[i] + row[i]), bias[0]));
    };
  },
  // One image alone deviates from nothing.
  minibatchstd: (layer) => {
    const from = layer.input[2], to = layer.output[2];
    return (x) => {
      const y = new Float64Array((x.length / from) * to).fill(Math.sqrt(layer.epsilon));
      for (let p = 0; p * from < x.length; p++) y.set(x.subarray(p * from, (p + 1) * from), p * to);
      return y;
    };
  },
  attention: (layer, weight) => {
    const [h, w, c] = layer.input, pixels = h * w, { narrow, wide } = layer, gamma = weight("gamma")[0];
    const one = [{ first: 0, groups: [[0]] }];
    const product = (name, from, to) => convolution([h, w, from], [h, w, to], [one, one], [1, 1], [1, 1], new Float64Array(to),
      (_, __, i, o, k) => k[i * to + o], weight(name), [from, to]);
    const [query, key, value, output] = [["query", c, narrow], ["key", c, narrow], ["value", c, wide], ["output", wide, c]]
      .map((p) => product(...p));
    return (x) => {
      const [q, k, v] = [query(x), key(x), value(x)], seen = new Float64Array(pixels * wide), share = new Float64Array(pixels);
      for (let i = 0; i < pixels; i++) {
        let top = -Infinity, total = 0;
        for (let j = 0; j < pixels; j++) {
          let score = 0;
          for (let d = 0; d < narrow; d++) score += q[i * narrow + d] * k[j * narrow + d];
          share[j] = score;
          top = Math.max(top, score);
        }
        for (let j = 0; j < pixels; j++) total += share[j] = Math.exp(share[j] - top);
        for (let j = 0; j < pixels; j++) {
          const part = share[j] / total;
          for (let d = 0; d < wide; d++) seen[i * wide + d] += part * v[j * wide + d];
        }
      }
      const back = output(seen);
      return x.map((v, i) => v + gamma * back[i]);
    };
  },
};

const size = ([h, w, c]) => h * w * c;

/** The rows of `table` times `shares`, added up. */
function mix(shares, table, width) {
  const y = new Float64Array(width);
  shares.forEach((share, label) => {
    if (share !== 0) for (let i = 0; i < width; i++) y[i] += share * table[label * width + i];
  });
  return y;
}

function repeat([h, w, c], f) {
  return (x) => {
    const y = new Float64Array(x.length * f * f);
    for (let py = 0; py < h * f; py++) {
      for (let px = 0; px < w * f; px++) {
        const at = (Math.floor(py / f) * w + Math.floor(px / f)) * c;
        y.set(x.subarray(at, at + c), (py * w * f + px) * c);
      }
    }
    return y;
  };
}

/** Bilinear enlarging: pixels are squares with their centres at half numbers, and the edge repeats. */
function blend([h, w, c], f) {
  const shares = (n) => Array.from({ length: n * f }, (_, i) => {
    const place = Math.max((i + 0.5) / f - 0.5, 0), first = Math.floor(place);
    return [first, Math.min(first + 1, n - 1), place - first];
  });
  const [rows, columns] = [shares(h), shares(w)];
  return (x) => {
    const y = new Float64Array(x.length * f * f);
    let at = 0;
    for (const [top, bottom, down] of rows) {
      for (const [left, right, across] of columns) {
        const [a, b, d, e] = [[top, left], [top, right], [bottom, left], [bottom, right]].map(([r, s]) => (r * w + s) * c);
        for (let k = 0; k < c; k++) {
          const upper = x[a + k] * (1 - across) + x[b + k] * across, lower = x[d + k] * (1 - across) + x[e + k] * across;
          y[at++] = upper * (1 - down) + lower * down;
        }
      }
    }
    return y;
  };
}

function average([h, w, c], f) {
  return (x) => {
    const y = new Float64Array(x.length / (f * f)), wide = w / f;
    for (let py = 0; py < h; py++) {
      for (let px = 0; px < w; px++) {
        const to = (Math.floor(py / f) * wide + Math.floor(px / f)) * c, from = (py * w + px) * c;
        for (let k = 0; k < c; k++) y[to + k] += x[from + k] / (f * f);
      }
    }
    return y;
  };
}

// An axis of a convolution, phase by phase: the pixels that phase r of the output reads begin at `first` from its own place
// in the input, and `groups[i]` are the places in the kernel whose weights the i-th of them is multiplied with.

/** A convolution with `pad` zeros before, behind an upsampling. */
function conv_axis(kernel, pad, up) {
  return Array.from({ length: up }, (_, r) => {
    const places = Array.from({ length: kernel }, (_, k) => Math.floor((r + k - pad) / up));
    const groups = Array.from({ length: places[kernel - 1] - places[0] + 1 }, () => []);
    places.forEach((place, k) => groups[place - places[0]].push(k));
    return { first: places[0], groups };
  });
}

/** A transposed convolution. */
function transposed_axis(kernel, stride, crop) {
  return Array.from({ length: stride }, (_, r) => {
    const own = (r + crop) % stride, base = Math.floor((r + crop) / stride), groups = [];
    for (let k = own; k < kernel; k += stride) groups.unshift([k]);
    return { first: base - groups.length + 1, groups };
  });
}

/**
 * A convolution from images `input` to images `output`: output pixel `q * outward + r` of phase r reads from input pixel
 * `q * inward + first` on. `at` finds a weight in `kernel`.
 */
function convolution(input, output, axes, inward, outward, bias, at, kernel, [from, to]) {
  const [h, w] = input, [oh, ow] = output;
  const counts = (a, n) => axes[a].map((_, r) => Math.ceil((n - r) / outward[a]));
  const [rows, columns] = [counts(0, oh), counts(1, ow)];
  const margin = (a, n, count) => {
    const before = Math.max(0, ...axes[a].map((p) => -p.first));
    const last = axes[a].map((p, r) => (count[r] - 1) * inward[a] + p.first + p.groups.length - 1);
    return [before, Math.max(0, ...last.map((l) => l - n + 1))];
  };
  const [[top, bottom], [left, right]] = [margin(0, h, rows), margin(1, w, columns)];
  const wide = w + left + right, high = h + top + bottom;
  const own = fast, lanes = own ? 8 : 2, padded_to = Math.ceil(to / lanes) * lanes, stride = own ? padded_to : to;
  const phases = [];
  axes[0].forEach((vertical, ry) => axes[1].forEach((horizontal, rx) => {
    const pixels = rows[ry] * columns[rx], whole = Math.ceil(pixels / 4) * 4;
    const [source, target] = [new Int32Array(whole), new Int32Array(whole)];
    // The last group of four repeats the last pixel.
    for (let i = 0; i < whole; i++) {
      const p = Math.min(i, pixels - 1), qx = p % columns[rx], qy = (p - qx) / columns[rx];
      source[i] = ((qy * inward[0] + vertical.first + top) * wide + qx * inward[1] + horizontal.first + left) * from;
      target[i] = ((qy * outward[0] + ry) * ow + qx * outward[1] + rx) * stride;
    }
    const lines = Int32Array.from(vertical.groups, (_, i) => i * wide * from), length = horizontal.groups.length * from;
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
  }));
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
      for (let y = 0; y < h; y++) padded.set(x.subarray(y * w * from, (y + 1) * w * from), ((y + top) * wide + left) * from);
    }
    const y = new Float64Array(pixels * to);
    for (const phase of phases) multiply(padded, phase.packed, bias, phase.source, phase.target, phase.lines, phase.length, to, y);
    return y;
  };
}

/** Four pixels by two channels at once, so that every number read is used two or four times. */
function multiply(x, w, bias, source, target, lines, length, to, y) {
  const rows = lines.length, block = rows * length * 2;
  for (let o = 0, begin = 0; o < to; o += 2, begin += block) {
    const two = o + 1 < to, b0 = bias[o], b1 = two ? bias[o + 1] : 0;
    for (let p = 0; p < source.length; p += 4) {
      const p0 = source[p], p1 = source[p + 1], p2 = source[p + 2], p3 = source[p + 3];
      let a0 = b0, a1 = b0, a2 = b0, a3 = b0, c0 = b1, c1 = b1, c2 = b1, c3 = b1, k = begin;
      for (let r = 0; r < rows; r++) {
        let i0 = p0 + lines[r], i1 = p1 + lines[r], i2 = p2 + lines[r], i3 = p3 + lines[r];
        for (let end = k + 2 * length; k < end; k += 2) {
          const u = w[k], v = w[k + 1], x0 = x[i0++], x1 = x[i1++], x2 = x[i2++], x3 = x[i3++];
          a0 += x0 * u; c0 += x0 * v;
          a1 += x1 * u; c1 += x1 * v;
          a2 += x2 * u; c2 += x2 * v;
          a3 += x3 * u; c3 += x3 * v;
        }
      }
      y[target[p] + o] = a0; y[target[p + 1] + o] = a1; y[target[p + 2] + o] = a2; y[target[p + 3] + o] = a3;
      if (two) {
        y[target[p] + o + 1] = c0; y[target[p + 1] + o + 1] = c1; y[target[p + 2] + o + 1] = c2; y[target[p + 3] + o + 1] = c3;
      }
    }
  }
}

/** kernel.wat as bytes. */
const KERNEL = "AGFzbQEAAAABDwFgC39/f39/f39/f39/AAIIAQFlAW0CAAEDAgEABwUBAWYAAAq4BAG1BAIKfwt7IApBAnQhCiAGQQJ0IQYgCUEFdCEJA0BBACEMA0AgAyALav0ABAAhGCADIAtq/QAEECEcIBghGSAYIRogGCEbIBwhHSAcIR4gHCEfIAIhDkEAIQ0CQCAIIAlsRQ0AA0AgACAHIA1BAnRqKAIAaiEQIBAgBCAMaigCAGohESAQIAQgDGooAgRqIRIgECAEIAxqKAIIaiETIBAgBCAMaigCDGohFCAOIAlqIQ8DQCAO/QAEACEVIA79AAQQIRYgEf0JAgAhFyAYIBcgFf3mAf3kASEYIBwgFyAW/eYB/eQBIRwgEv0JAgAhFyAZIBcgFf3mAf3kASEZIB0gFyAW/eYB/eQBIR0gE/0JAgAhFyAaIBcgFf3mAf3kASEaIB4gFyAW/eYB/eQBIR4gFP0JAgAhFyAbIBcgFf3mAf3kASEbIB8gFyAW/eYB/eQBIR8gEUEEaiERIBJBBGohEiATQQRqIRMgFEEEaiEUIA5BIGohDiAOIA9JDQALIA1BAWohDSANIAhJDQALCyABIAtqIAUgDGooAgBqIREgASALaiAFIAxqKAIEaiESIAEgC2ogBSAMaigCCGohEyABIAtqIAUgDGooAgxqIRQgESAY/QsEACARIBz9CwQQIBIgGf0LBAAgEiAd/QsEECATIBr9CwQAIBMgHv0LBBAgFCAb/QsEACAUIB/9CwQQIAxBEGohDCAMIAZJDQALIAIgCCAJbGohAiALQSBqIQsgCyAKSQ0ACws=";

/** The module in use; nothing where there is no WebAssembly with 128-bit registers. */
let fast = null;

/** The inner loop as machine code, with a memory in which weights stay. Gives nothing where a browser has no such thing. */
function Fast() {
  let memory, run;
  try {
    memory = new WebAssembly.Memory({ initial: 1 });
    const bytes = Uint8Array.from(atob(KERNEL), (c) => c.charCodeAt(0));
    run = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { m: memory } }).exports.f;
  } catch {
    return null;
  }
  let end = 0, scratch = -1;
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
    new Uint8Array(memory.buffer, place, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return place;
  };
  const bytes = (places) => places.map((place) => 4 * place);
  return {
    convolution(phases, bias, { h, w, from, high, wide, top, left, pixels, to, padded_to }) {
      const offsets = keep(bias);
      const kept = phases.map((p) => ({
        source: keep(bytes(p.source)), target: keep(bytes(p.target)), lines: keep(bytes(p.lines)), weights: keep(p.packed),
        count: p.count, rows: p.rows, length: p.length,
      }));
      const [before, behind] = [high * wide * from, pixels * padded_to];
      [before, behind].forEach((size, i) => (largest[i] = Math.max(largest[i], size)));
      return (x) => {
        // One room for the input and one for the output, for all layers in turn.
        if (scratch < 0) scratch = reserve(4 * (largest[0] + largest[1]) + 64);
        const into = scratch, out = scratch + Math.ceil(largest[0] / 4) * 16;
        const padded = new Float32Array(memory.buffer, into, before);
        if (before > x.length) padded.fill(0);
        for (let y = 0; y < h; y++) padded.set(x.subarray(y * w * from, (y + 1) * w * from), ((y + top) * wide + left) * from);
        for (const p of kept) run(into, out, p.weights, offsets, p.source, p.target, p.count, p.lines, p.rows, p.length, padded_to);
        const made = new Float32Array(memory.buffer, out, behind);
        if (padded_to === to) return made.slice();
        const y = new Float32Array(pixels * to);
        for (let p = 0; p < pixels; p++) for (let o = 0; o < to; o++) y[p * to + o] = made[p * padded_to + o];
        return y;
      };
    },
  };
}

/** The page's weights as numbers: base64 of little-endian single or half precision. */
function unpack(text, half) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  if (!half) return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = view.getUint16(2 * i, true), power = (bits >> 10) & 31, part = bits & 1023, sign = bits & 0x8000 ? -1 : 1;
    return sign * (power === 0 ? part * 2 ** -24 : power === 31 ? (part ? NaN : Infinity) : (1 + part / 1024) * 2 ** (power - 15));
  });
}

/** Pixel values as bytes, as in every picture that faussaire writes. */
function to_bytes(values, [low, high]) {
  return Uint8ClampedArray.from(values, (v) => Math.floor(((v - low) / (high - low)) * 255 + 0.5));
}
