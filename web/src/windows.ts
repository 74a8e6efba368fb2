// Cuts a region of a picture, resampled once, antialiased, as
// `integral_tf/records/windows.py` does.

import type { Box } from "./coordinates";
import { alongX, alongY, BICUBIC, tapsOf } from "./resample";
import type { Picture } from "./resample";

// Pixels of black that are always made, so that ordinary regions are exact.
const BLACK = 4096;

/** One axis of a region, and the part of it that is not black. */
interface Side {
  /** The picture's pixel that is pixel 0 of the part. */
  low: number;
  /** Pixels of the part, black ones before and after the picture included. */
  length: number;
  start: number;
  end: number;
  /** First pixel of the result, and how many, that are made from the part. */
  first: number;
  count: number;
  /** The picture's pixels in the part. */
  from: number;
  to: number;
}

/** The RGB pixels of a region, `width` x `height`, black outside. */
export function cut(
  picture: Picture,
  region: Box,
  width: number,
  height: number,
): Uint8ClampedArray {
  const columns = sideOf(region[0], region[2], picture.width, width);
  const rows = sideOf(region[1], region[3], picture.height, height);
  const out = new Uint8ClampedArray(width * height * 3);
  if (isBlack(columns) || isBlack(rows)) return out;
  const across = tapsOf(
    BICUBIC, columns.length, columns.start, columns.end, columns.count,
  );
  const strip = alongX(picture, across, columns.low, rows.from, rows.to);
  const down = tapsOf(BICUBIC, rows.length, rows.start, rows.end, rows.count);
  const part = alongY(strip, columns.count, down, rows.low - rows.from);
  const length = 3 * columns.count;
  for (let y = 0; y < rows.count; y++) {
    const at = 3 * ((rows.first + y) * width + columns.first);
    out.set(part.subarray(y * length, (y + 1) * length), at);
  }
  return out;
}

function sideOf(
  edge: number,
  size: number,
  pixels: number,
  count: number,
): Side {
  const step = size / count;
  // The kernel at the picture's edge reaches this far outside; a pixel of the
  // result there reaches as far again.
  const reach = BICUBIC.radius * Math.max(step, 1) + 1;
  const black = Math.ceil(Math.max(2 * reach, BLACK));
  let low = Math.floor(edge);
  let high = Math.ceil(edge + size);
  let first = 0;
  let last = count;
  if (low < -black) {
    low = -black;
    first = clip(Math.floor((-reach - edge) / step), count);
  }
  if (high > pixels + black) {
    high = pixels + black;
    last = clip(Math.ceil((pixels + reach - edge) / step), count);
  }
  return {
    low,
    length: high - low,
    start: edge + first * step - low,
    end: Math.min(edge + last * step - low, high - low),
    first,
    count: last - first,
    from: clip(low, pixels),
    to: clip(high, pixels),
  };
}

function isBlack(side: Side): boolean {
  return side.count <= 0 || side.from >= side.to;
}

function clip(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}
