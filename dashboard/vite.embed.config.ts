import { defineConfig } from "vite";

/** The embed page's scripts: a build of its own, because the page itself is written by the server. */
export default defineConfig({
  base: "/embed/",
  root: `${import.meta.dirname}/embed`,
  build: {
    outDir: "dist",
    target: "es2022",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800, // hls.js, fetched when somebody plays
    rolldownOptions: { input: "main.ts" },
  },
});
