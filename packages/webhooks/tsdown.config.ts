import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["index", "node", "fetch", "express", "fastify", "hono", "order"].map((name) => `src/${name}.ts`),
  platform: "neutral",
  deps: { neverBundle: [/^node:/, "fastify"], onlyBundle: [] },
  target: "es2022",
  dts: true,
  fixedExtension: false,
  clean: true,
});
