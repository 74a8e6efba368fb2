// Resampling as Pillow's: antialiased, in two passes, each rounded to whole
// grey levels. Weights are whole multiples of 2^-22, so that the sums are exact.

export interface Kernel {
  /** Half the kernel's width, in pixels of the smaller picture. */
  radius: number;
  weight(distance: number): number;
}

/** A picture; the pixels are RGBA, row by row. */
export interface Picture {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** For each pixel of the result the pixels it is made of, and their weights. */
export interface Taps {
  first: Int32Array;
  counts: Int32Array;
  weights: Int32Array;
  most: number;
}

const BITS = 22;
const HALF = 1 << (BITS - 1);

// Keys's cubic kernel with a = -0.5.
export const BICUBIC: Kernel = {
  radius: 2,
  weight(distance) {
    const x = Math.abs(distance);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  },
};

export const BILINEAR: Kernel = {
  radius: 1,
  weight: (distance) => Math.max(1 - Math.abs(distance), 0),
};

/**
 * Weights for one axis.
 *
 * @param pixels Number of the source's pixels.
 * @param start First edge of the part that is resampled, in these pixels.
 * @param end Its last edge.
 * @param count Number of the result's pixels.
 */
export function tapsOf(
  kernel: Kernel,
  pixels: number,
  start: number,
  end: number,
  count: number,
): Taps {
  // Pillow holds the edges in single precision.
  const low = Math.fround(start);
  const step = Math.fround(Math.fround(end) - low) / count;
  const widened = Math.max(step, 1);
  const reach = kernel.radius * widened;
  const most = 2 * Math.ceil(reach) + 1;
  const taps = {
    first: new Int32Array(count),
    counts: new Int32Array(count),
    weights: new Int32Array(count * most),
    most,
  };
  for (let i = 0; i < count; i++) {
    const middle = low + (i + 0.5) * step;
    const first = Math.max(Math.trunc(middle - reach + 0.5), 0);
    const last = Math.min(Math.trunc(middle + reach + 0.5), pixels);
    const weights: number[] = [];
    let sum = 0;
    for (let at = first; at < last; at++) {
      const weight = kernel.weight((at - middle + 0.5) / widened);
      weights.push(weight);
      sum += weight;
    }
    taps.first[i] = first;
    taps.counts[i] = weights.length;
    weights.forEach((weight, at) => {
      const scaled = (sum ? weight / sum : weight) * (1 << BITS);
      taps.weights[i * most + at] = Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    });
  }
  return taps;
}

/**
 * Resamples rows `from` to `to` of a picture along x, to RGB.
 *
 * @param low The picture's column that is pixel 0 of the taps; columns outside
 *   the picture are black.
 */
export function alongX(
  picture: Picture,
  taps: Taps,
  low: number,
  from: number,
  to: number,
): Uint8ClampedArray {
  const { data, width } = picture;
  const count = taps.first.length;
  const out = new Uint8ClampedArray((to - from) * count * 3);
  for (let i = 0; i < count; i++) {
    const begin = taps.first[i] + low;
    const first = Math.max(begin, 0);
    const last = Math.min(begin + taps.counts[i], width);
    const shift = i * taps.most - begin;
    for (let row = from; row < to; row++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let x = first; x < last; x++) {
        const weight = taps.weights[shift + x];
        const at = 4 * (row * width + x);
        red += Math.imul(weight, data[at]);
        green += Math.imul(weight, data[at + 1]);
        blue += Math.imul(weight, data[at + 2]);
      }
      const at = 3 * ((row - from) * count + i);
      out[at] = red >> BITS;
      out[at + 1] = green >> BITS;
      out[at + 2] = blue >> BITS;
    }
  }
  return out;
}

/**
 * Resamples RGB rows along y.
 *
 * @param rows Rows of `width` pixels, as `alongX` returns them.
 * @param low The row of `rows` that is pixel 0 of the taps; rows outside are
 *   black.
 */
export function alongY(
  rows: Uint8ClampedArray,
  width: number,
  taps: Taps,
  low: number,
): Uint8ClampedArray {
  const count = taps.first.length;
  const length = 3 * width;
  const height = rows.length / length;
  const out = new Uint8ClampedArray(count * length);
  const sums = new Int32Array(length);
  for (let i = 0; i < count; i++) {
    const begin = taps.first[i] + low;
    const first = Math.max(begin, 0);
    const last = Math.min(begin + taps.counts[i], height);
    sums.fill(HALF);
    for (let y = first; y < last; y++) {
      const weight = taps.weights[i * taps.most - begin + y];
      for (let x = 0; x < length; x++) {
        sums[x] += Math.imul(weight, rows[y * length + x]);
      }
    }
    for (let x = 0; x < length; x++) out[i * length + x] = sums[x] >> BITS;
  }
  return out;
}
