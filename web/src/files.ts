// Files that a user gives: photographs, networks, cards and skeletons.

import { isCard, isSkeleton } from "./card";
import type { Card } from "./card";
import type { Skeleton } from "./pose";

export interface Given {
  photograph: File | null;
  networks: File[];
  card: Card;
  skeleton: Skeleton | null;
  /** Names of the files that the page takes no part of. */
  left: string[];
}

// A picture has four bytes a pixel, several times; a browser holds so much.
const LARGEST_PICTURE = 2 ** 26;
// Of a canvas in Firefox; in Chromium it is twice that.
const LONGEST_SIDE = 2 ** 15 - 1;
const LARGEST_FILE = 2 ** 28;
const LARGEST_NETWORK = 2 ** 30;

/** Sorts files by their endings, and reads the JSON ones. */
export async function sort(files: Iterable<File>): Promise<Given> {
  const all = [...files];
  const networks = all.filter(({ name }) => /\.onnx$/i.test(name));
  const jsons = all.filter(({ name }) => /\.json$/i.test(name));
  const others = all.filter((file) => !networks.includes(file) && !jsons.includes(file));
  const photograph =
    others.find(({ type }) => type.startsWith("image/")) ?? others[0] ?? null;
  const left = others.filter((file) => file !== photograph);
  if (!networks.length) left.push(...jsons);
  const names = left.map(({ name }) => name);
  const given: Given = { photograph, networks, card: {}, skeleton: null, left: names };
  for (const file of jsons) await readJson(file, given);
  return given;
}

async function readJson(file: File, given: Given): Promise<void> {
  const value: unknown = await file
    .text()
    .then(JSON.parse)
    .catch(() => null);
  if (isSkeleton(value)) given.skeleton = value;
  else if (isCard(value)) given.card = value;
  else {
    throw new Error(
      "A JSON file is the card.json or the skeleton.json that " +
        `\`integral-tf export\` wrote. Received: ${file.name}`,
    );
  }
}

/** Reads a network's bytes. */
export async function readNetwork(file: File): Promise<ArrayBuffer> {
  requireBytes(file);
  if (file.size > LARGEST_NETWORK) {
    throw new Error(
      `A network in a browser has at most ${megabytes(LARGEST_NETWORK)}. ` +
        `Received: ${file.name}, ${megabytes(file.size)}`,
    );
  }
  return file.arrayBuffer();
}

/** Decodes a photograph: turned by its EXIF, in its own colours. */
export async function readPhotograph(file: File): Promise<ImageBitmap> {
  requireBytes(file);
  if (file.size > LARGEST_FILE) {
    throw new Error(
      `A photograph has at most ${megabytes(LARGEST_FILE)}. ` +
        `Received: ${file.name}, ${megabytes(file.size)}`,
    );
  }
  const bitmap = await createImageBitmap(file, {
    imageOrientation: "from-image",
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  }).catch(() => {
    throw new Error(
      "The file is no picture that this browser reads, or it is damaged. " +
        `Received: ${file.name}, ${file.type || "of an unknown kind"}`,
    );
  });
  const { width, height } = bitmap;
  if (width * height > LARGEST_PICTURE || Math.max(width, height) > LONGEST_SIDE) {
    bitmap.close();
    const millions = (LARGEST_PICTURE / 1e6).toFixed(0);
    throw new Error(
      `A photograph has at most ${millions} million pixels on this page, and ` +
        `at most ${LONGEST_SIDE} on a side. ` +
        `Received: ${file.name}, ${width} x ${height}`,
    );
  }
  return bitmap;
}

function requireBytes(file: File): void {
  if (!file.size) throw new Error(`The file is empty. Received: ${file.name}`);
}

/** The RGBA pixels of a picture. */
export function pixelsOf(bitmap: ImageBitmap): Uint8ClampedArray<ArrayBuffer> {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  // Kept in memory, because a graphics card would round the pixels.
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] < 255) return colourOfClear(bitmap) ?? data;
  }
  return data;
}

/**
 * The pixels of a picture with transparency, which the package ignores. A 2d
 * canvas holds colour times opacity, so that clear pixels lose their colour; a
 * texture keeps it. null if the picture is too large for a texture.
 */
function colourOfClear(
  bitmap: ImageBitmap,
): Uint8ClampedArray<ArrayBuffer> | null {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl");
  if (!gl || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) {
    return null;
  }
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(
    gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0,
  );
  const pixels = new Uint8Array(4 * width * height);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return new Uint8ClampedArray(pixels.buffer);
}

/** Hands a file to the user. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
