import { defineConfig } from "vite";

/** Builds the embed page's scripts separately, because the server renders the page itself. */
export default defineConfig({
  base: "/embed/",
  root: `${import.meta.dirname}/embed`,
  build: {
    outDir: "dist",
    target: "es2022",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800, // hls.js is large, but it loads only on playback
    rolldownOptions: { input: "main.ts" },
  },
});
