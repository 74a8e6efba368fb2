// Cuts a person's crop as Simple Baselines and MMPose do, for networks whose
// cells are "first": `integral_tf/inference/opencv_crops.py`.

import { regionAround } from "./coordinates";
import type { Affine, Box } from "./coordinates";
import type { Picture } from "./resample";

/** The RGB pixels of the crop, and its affine map to the picture. */
export function cut(
  picture: Picture,
  box: Box,
  width: number,
  height: number,
): { pixels: Uint8ClampedArray; toImage: Affine } {
  const [x, y, w, h] = regionAround(box, width / height);
  const toImage: Affine = [
    [w / width, 0, x],
    [0, h / height, y],
  ];
  const pixels = new Uint8ClampedArray(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = 3 * (row * width + column);
      const from = [x + (column * w) / width, y + (row * h) / height];
      for (let channel = 0; channel < 3; channel++) {
        pixels[at + channel] = bilinear(picture, from[0], from[1], channel);
      }
    }
  }
  return { pixels, toImage };
}

function bilinear(
  picture: Picture,
  x: number,
  y: number,
  channel: number,
): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const right = x - left;
  const below = y - top;
  const upper =
    (1 - right) * level(picture, left, top, channel) +
    right * level(picture, left + 1, top, channel);
  const lower =
    (1 - right) * level(picture, left, top + 1, channel) +
    right * level(picture, left + 1, top + 1, channel);
  return (1 - below) * upper + below * lower;
}

function level(picture: Picture, x: number, y: number, channel: number): number {
  const { data, width, height } = picture;
  const inside = x >= 0 && y >= 0 && x < width && y < height;
  return inside ? data[4 * (y * width + x) + channel] : 0;
}
