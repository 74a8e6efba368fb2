import { defineConfig } from "vite";

// The names have no digests, so that a new build replaces the old one. The
// engine's .wasm and .mjs are not bundled: `pack.py` puts them beside the page.
export default defineConfig({
  base: "./",
  resolve: {
    conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser"],
  },
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        entryFileNames: "assets/page.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});
