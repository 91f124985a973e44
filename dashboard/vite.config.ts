import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

/** While developing, `vite` serves the pages and passes everything else on to the running server. */
const server = process.env.MAVE_DEV_SERVER ?? "http://localhost:3000";

export default defineConfig({
  base: "/dashboard/",
  root: import.meta.dirname,
  plugins: [react(), tailwindcss()],
  resolve: { conditions: ["source", ...defaultClientConditions] },
  build: {
    outDir: "dist",
    target: "es2023",
    modulePreload: { polyfill: false },
    // Data URLs would need `data:` in the content security policy.
    assetsInlineLimit: 0,
  },
  server: { proxy: Object.fromEntries(["/v1", "/media", "/docs", "/oembed"].map((path) => [path, server])) },
});
