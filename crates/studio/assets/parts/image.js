// Draws images (bytes, height x width x channels) on canvases, enlarged by whole factors so that pixels stay square. Points in
// the plane ("images" of shape 1x1x2) are drawn as a scatter plot.

import { h } from "../app/dom.js";

/// The largest whole factor by which a side of `pixels` stays within `maxSize` CSS pixels (at least 1).
export const factor = (pixels, maxSize) => Math.max(1, Math.floor(maxSize / pixels));

/// RGBA from bytes in grey, colour, or colour with alpha.
export function rgba(data, offset, height, width, channels) {
  const out = new ImageData(width, height);
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    const from = offset + pixel * channels;
    const colour = channels >= 3;
    out.data[4 * pixel] = data[from];
    out.data[4 * pixel + 1] = data[colour ? from + 1 : from];
    out.data[4 * pixel + 2] = data[colour ? from + 2 : from];
    out.data[4 * pixel + 3] = channels === 4 ? data[from + 3] : 255;
  }
  return out;
}

/// A canvas for one image of `shape` [h, w, c], shown within `maxSize` CSS pixels.
export function canvas(shape, maxSize, label) {
  const [height, width] = shape;
  const element = h("canvas", { class: "pixels", role: "img", "aria-label": label });
  element.width = width;
  element.height = height;
  enlarge(element, maxSize);
  return element;
}

/// Sets the displayed size of a canvas.
export function enlarge(element, maxSize) {
  const times = factor(Math.max(element.width, element.height), maxSize);
  element.style.width = `${element.width * times}px`;
}

/// Draws image `at` of a batch { shape: [n, h, w, c], data }.
export function draw(element, batch, at = 0) {
  const [, height, width, channels] = batch.shape;
  if (element.width !== width) element.width = width;
  if (element.height !== height) element.height = height;
  element.classList.toggle("transparent", channels === 4);
  element
    .getContext("2d")
    .putImageData(rgba(batch.data, at * height * width * channels, height, width, channels), 0, 0);
}

/// One image of a batch, as bytes.
export function single(batch, at) {
  const size = batch.shape[1] * batch.shape[2] * batch.shape[3];
  return { shape: [1, ...batch.shape.slice(1)], data: batch.data.slice(at * size, (at + 1) * size) };
}

/// All images of a batch on one canvas, `columns` per row, `gap` pixels apart.
export function drawGrid(element, batch, columns, gap = 1) {
  const [count, height, width, channels] = batch.shape;
  const rows = Math.ceil(count / columns);
  element.width = columns * (width + gap) - gap;
  element.height = rows * (height + gap) - gap;
  element.classList.toggle("transparent", channels === 4);
  const context = element.getContext("2d");
  context.clearRect(0, 0, element.width, element.height);
  for (let at = 0; at < count; at += 1) {
    const image = rgba(batch.data, at * height * width * channels, height, width, channels);
    context.putImageData(image, (at % columns) * (width + gap), Math.floor(at / columns) * (height + gap));
  }
}

/// Whether a run's "images" are points in the plane.
export const isPoint = (shape) => shape[0] === 1 && shape[1] === 1 && shape[2] === 2;

/// Draws points [x, y] of -1 to 1 as a scatter plot. `marked` is one of them.
export function drawPoints(element, points, side, marked = -1) {
  const sharp = Math.max(1, Math.round(devicePixelRatio));
  element.width = side * sharp;
  element.height = side * sharp;
  element.style.width = `${side}px`;
  const style = getComputedStyle(element);
  const context = element.getContext("2d");
  context.scale(sharp, sharp);
  context.strokeStyle = style.color;
  context.globalAlpha = 0.4;
  context.strokeRect(0.5, 0.5, side - 1, side - 1);
  const place = ([x, y]) => [((x + 1) / 2) * side, ((1 - y) / 2) * side];
  context.fillStyle = style.color;
  context.globalAlpha = 0.6;
  for (const point of points) {
    const [x, y] = place(point);
    context.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
  }
  if (marked < 0) return;
  context.globalAlpha = 1;
  context.lineWidth = 2.5;
  context.beginPath();
  context.arc(...place(points[marked]), 7, 0, 2 * Math.PI);
  context.stroke();
}

/// The average brightness of a batch, 0 to 1.
export function brightness(batch) {
  let sum = 0;
  for (const byte of batch.data) sum += byte;
  return sum / batch.data.length / 255;
}
