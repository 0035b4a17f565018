"use strict";
// Runs a generator: takes a list of layers with their weights, returns pixels. Images are [height, width, channels].
//
// Nearly all of the work is in convolutions (convolution.js), which all have one form: every output pixel is a weighted sum over
// a few rows of the input. A convolution after an upsampling, or a transposed one, has that form once for each phase of the larger
// image, with small kernels of summed weights: no multiplication by zero, and no pixel is visited twice.

/** A generator: `model` describes the layers, `floats` are all weights. `slow`: without WebAssembly. */
function Engine(model, floats, slow) {
  fast = slow ? null : Fast();
  const steps = [];
  const layers = model.layers;
  for (let i = 0; i < layers.length; i++) {
    let layer = layers[i],
      up = 1;
    const next = layers[i + 1];
    if (
      layer.form === "upsample" &&
      !layer.bilinear &&
      next &&
      next.form === "conv" &&
      next.stride.every((s) => s === 1)
    ) {
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
    /** The pixels for one latent and, for a conditional generator, one row of labels. */
    draw(noise, labels) {
      const pass = { labels: labels || [], open: [] };
      return steps.reduce((x, step) => step(x, pass), Float64Array.from(noise));
    },
  };
}

/** The function of each operation: `(layer, weight, upsampling before it) => (x, pass) => y`. */
const FORMS = {
  nothing: () => (x) => x,
  reshape: () => (x) => x,
  dense: (layer, weight) => {
    const [from, to] = [layer.input[2], layer.output[2]];
    const one = [{ first: 0, groups: [[0]] }];
    return convolution(
      layer.input,
      layer.output,
      [one, one],
      [1, 1],
      [1, 1],
      weight("bias"),
      (_, __, c, o, w) => w[c * to + o],
      weight("weight"),
      [from, to],
    );
  },
  conv: (layer, weight, up) => {
    const [kw, from, to] = [layer.kernel[1], layer.input[2], layer.output[2]];
    const small = [layer.input[0] / up, layer.input[1] / up, from];
    const axes = [0, 1].map((a) => conv_axis(layer.kernel[a], layer.pads[a], up));
    return convolution(
      small,
      layer.output,
      axes,
      layer.stride,
      [up, up],
      weight("bias"),
      (ky, kx, c, o, w) => w[((ky * kw + kx) * from + c) * to + o],
      weight("weight"),
      [from, to],
    );
  },
  convtranspose: (layer, weight) => {
    const [kw, from, to] = [layer.kernel[1], layer.input[2], layer.output[2]];
    const axes = [0, 1].map((a) => transposed_axis(layer.kernel[a], layer.stride[a], layer.crop[a]));
    return convolution(
      layer.input,
      layer.output,
      axes,
      [1, 1],
      layer.stride,
      weight("bias"),
      (ky, kx, c, o, w) => w[((ky * kw + kx) * to + o) * from + c],
      weight("weight"),
      [from, to],
    );
  },
  upsample: (layer) => (layer.bilinear ? blend : repeat)(layer.input, layer.factor),
  crop: (layer) => {
    const [, wide, c] = layer.input,
      [h, w] = layer.output;
    return (x) => {
      const y = new Float64Array(h * w * c);
      for (let row = 0; row < h; row++) {
        const from = ((layer.top + row) * wide + layer.left) * c;
        y.set(x.subarray(from, from + w * c), row * w * c);
      }
      return y;
    };
  },
  averagepool: (layer) => average(layer.input, layer.factor),
  maxpool: (layer) => largest(layer.input, layer.factor),
  zeropad: (layer) => {
    const [h, w, c] = layer.input,
      [top, left] = layer.pads,
      wide = layer.output[1];
    return (x) => {
      const y = new Float64Array(size(layer.output));
      for (let py = 0; py < h; py++) {
        y.set(x.subarray(py * w * c, (py + 1) * w * c), ((py + top) * wide + left) * c);
      }
      return y;
    };
  },
  globalpool: (layer) => {
    const c = layer.output[2],
      scale = layer.sum ? 1 : c / size(layer.input);
    return (x) => {
      const y = new Float64Array(c);
      for (let i = 0; i < x.length; i++) y[i % c] += x[i] * scale;
      return y;
    };
  },
  pixelshuffle: (layer) => {
    const [, w, from] = layer.input,
      [, wide, c] = layer.output,
      r = layer.factor;
    return (x) => {
      const y = new Float64Array(x.length);
      for (let i = 0; i < x.length; i++) {
        const k = i % from,
          at = (i - k) / from,
          px = at % w,
          py = (at - px) / w;
        const j = k % r,
          row = Math.floor(k / r) % r,
          channel = Math.floor(k / (r * r));
        y[((py * r + row) * wide + px * r + j) * c + channel] = x[i];
      }
      return y;
    };
  },
  batchnorm: (layer, weight) => {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(weight),
      c = gamma.length;
    const scale = Float64Array.from(gamma, (g, i) => g / Math.sqrt(variance[i] + layer.epsilon));
    const shift = Float64Array.from(beta, (b, i) => b - mean[i] * scale[i]);
    return (x) => x.map((v, i) => v * scale[i % c] + shift[i % c]);
  },
  conditionalbatchnorm: (layer, weight) => {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(weight),
      c = mean.length;
    return (x, pass) => {
      const none = pass.labels.every((l) => l === 0);
      const held = pass.labels.map((l) => (none ? 1 : l)),
        total = held.reduce((a, b) => a + b, 0);
      const row = (table) =>
        mix(
          held.map((l) => l / total),
          table,
          c,
        );
      const [scale, shift] = [row(gamma), row(beta)];
      return x.map(
        (v, i) => ((v - mean[i % c]) / Math.sqrt(variance[i % c] + layer.epsilon)) * scale[i % c] + shift[i % c],
      );
    };
  },
  groupnorm: (layer, weight) => {
    const [gamma, beta] = [weight("gamma"), weight("beta")],
      c = gamma.length,
      wide = c / layer.groups;
    return (x) => {
      const count = x.length / layer.groups,
        mean = new Float64Array(layer.groups),
        spread = new Float64Array(layer.groups);
      const group = (i) => Math.floor((i % c) / wide);
      x.forEach((v, i) => (mean[group(i)] += v / count));
      x.forEach((v, i) => (spread[group(i)] += (v - mean[group(i)]) ** 2 / count));
      return x.map(
        (v, i) => ((v - mean[group(i)]) / Math.sqrt(spread[group(i)] + layer.epsilon)) * gamma[i % c] + beta[i % c],
      );
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
  softmax: (layer) => {
    const c = layer.input[2];
    return (x) => {
      const y = new Float64Array(x.length);
      for (let p = 0; p < x.length; p += c) {
        let top = -Infinity,
          total = 0;
        for (let k = 0; k < c; k++) top = Math.max(top, x[p + k]);
        for (let k = 0; k < c; k++) total += y[p + k] = Math.exp(x[p + k] - top);
        for (let k = 0; k < c; k++) y[p + k] /= total;
      }
      return y;
    };
  },
  open: () => (x, pass) => (pass.open.push(x), x),
  close: (layer, weight) => {
    // The input of the block has the branch's size, or `down` times or 1/`up` of it.
    const [h, w, c] = layer.output,
      kernel = weight("weight"),
      scale = layer.down / layer.up;
    const from = kernel ? kernel.length / c : c,
      before = [h * scale, w * scale, from],
      between = [h / layer.up, w / layer.up, from];
    const one = [{ first: 0, groups: [[0]] }],
      behind = [between[0], between[1], c];
    const path = [];
    if (layer.down > 1) path.push(average(before, layer.down));
    if (kernel) {
      path.push(
        convolution(
          between,
          behind,
          [one, one],
          [1, 1],
          [1, 1],
          new Float64Array(c),
          (_, __, i, o, k) => k[i * c + o],
          kernel,
          [from, c],
        ),
      );
    }
    if (layer.up > 1) path.push(repeat(behind, layer.up));
    return (x, pass) => {
      const shortcut = path.reduce((s, step) => step(s, pass), pass.open.pop());
      return x.map((v, i) => v + shortcut[i]);
    };
  },
  embedding: (layer, weight) => {
    const table = weight("table"),
      from = layer.input[2],
      to = layer.output[2],
      more = to - from;
    return (x, pass) => {
      const values = mix(pass.labels, table, (x.length / from) * more),
        y = new Float64Array((x.length / from) * to);
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
  // One image alone has no deviation.
  minibatchstd: (layer) => {
    const from = layer.input[2],
      to = layer.output[2];
    return (x) => {
      const y = new Float64Array((x.length / from) * to).fill(Math.sqrt(layer.epsilon));
      for (let p = 0; p * from < x.length; p++) y.set(x.subarray(p * from, (p + 1) * from), p * to);
      return y;
    };
  },
  attention: (layer, weight) => {
    const [h, w, c] = layer.input,
      pixels = h * w,
      { narrow, wide } = layer,
      gamma = weight("gamma")[0];
    const one = [{ first: 0, groups: [[0]] }];
    const product = (name, from, to) =>
      convolution(
        [h, w, from],
        [h, w, to],
        [one, one],
        [1, 1],
        [1, 1],
        new Float64Array(to),
        (_, __, i, o, k) => k[i * to + o],
        weight(name),
        [from, to],
      );
    const [query, key, value, output] = [
      ["query", c, narrow],
      ["key", c, narrow],
      ["value", c, wide],
      ["output", wide, c],
    ].map((p) => product(...p));
    return (x) => {
      const [q, k, v] = [query(x), key(x), value(x)],
        seen = new Float64Array(pixels * wide),
        share = new Float64Array(pixels);
      for (let i = 0; i < pixels; i++) {
        let top = -Infinity,
          total = 0;
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

/** The sum of the rows of `table`, weighted by `shares`. */
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

/** Bilinear upsampling: pixel centres are at half-integers, and the edge is replicated. */
function blend([h, w, c], f) {
  const shares = (n) =>
    Array.from({ length: n * f }, (_, i) => {
      const place = Math.max((i + 0.5) / f - 0.5, 0),
        first = Math.floor(place);
      return [first, Math.min(first + 1, n - 1), place - first];
    });
  const [rows, columns] = [shares(h), shares(w)];
  return (x) => {
    const y = new Float64Array(x.length * f * f);
    let at = 0;
    for (const [top, bottom, down] of rows) {
      for (const [left, right, across] of columns) {
        const [a, b, d, e] = [
          [top, left],
          [top, right],
          [bottom, left],
          [bottom, right],
        ].map(([r, s]) => (r * w + s) * c);
        for (let k = 0; k < c; k++) {
          const upper = x[a + k] * (1 - across) + x[b + k] * across,
            lower = x[d + k] * (1 - across) + x[e + k] * across;
          y[at++] = upper * (1 - down) + lower * down;
        }
      }
    }
    return y;
  };
}

function average([h, w, c], f) {
  return (x) => {
    const y = new Float64Array(x.length / (f * f)),
      wide = w / f;
    for (let py = 0; py < h; py++) {
      for (let px = 0; px < w; px++) {
        const to = (Math.floor(py / f) * wide + Math.floor(px / f)) * c,
          from = (py * w + px) * c;
        for (let k = 0; k < c; k++) y[to + k] += x[from + k] / (f * f);
      }
    }
    return y;
  };
}

function largest([h, w, c], f) {
  return (x) => {
    const y = new Float64Array(x.length / (f * f)).fill(-Infinity),
      wide = w / f;
    for (let py = 0; py < h; py++) {
      for (let px = 0; px < w; px++) {
        const to = (Math.floor(py / f) * wide + Math.floor(px / f)) * c,
          from = (py * w + px) * c;
        for (let k = 0; k < c; k++) y[to + k] = Math.max(y[to + k], x[from + k]);
      }
    }
    return y;
  };
}

/** Decodes the weights: base64 of little-endian single or half precision. */
function unpack(text, half) {
  const raw = atob(text),
    bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  if (!half) return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = view.getUint16(2 * i, true),
      power = (bits >> 10) & 31,
      part = bits & 1023,
      sign = bits & 0x8000 ? -1 : 1;
    return (
      sign *
      (power === 0 ? part * 2 ** -24 : power === 31 ? (part ? NaN : Infinity) : (1 + part / 1024) * 2 ** (power - 15))
    );
  });
}

/** Pixel values as bytes, rounded as in every image that faussaire writes. */
function to_bytes(values, [low, high]) {
  return Uint8ClampedArray.from(values, (v) => Math.floor(((v - low) / (high - low)) * 255 + 0.5));
}
