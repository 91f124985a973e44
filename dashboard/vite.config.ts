import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";

/** The server that Vite proxies API, media, and docs requests to in development. Vite itself serves the pages. */
const server = process.env.MAVE_DEV_SERVER ?? "http://localhost:3000";

export default defineConfig({
  base: "/dashboard/",
  root: import.meta.dirname,
  plugins: [react(), tailwindcss(), compressed()],
  resolve: { conditions: ["source", ...defaultClientConditions] },
  build: {
    outDir: "dist",
    target: "es2023",
    modulePreload: { polyfill: false },
    // Use one chunk for list icons and one for shared page components, because smaller chunks compress worse.
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            {
              name: "marks",
              test: /lucide-react.*\/(circle-|triangle-|play\.|pause\.|x\.|chevron-down)/,
              minShareCount: 3,
            },
            { name: "page", test: /dashboard\/src\/ui\/(page|status|table|tabs)\./ },
          ],
        },
      },
    },
    // Data URLs would require `data:` in the content security policy.
    assetsInlineLimit: 0,
    // hls.js and uPlot are large, but they load only on pages that use them.
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: Object.fromEntries(["/v1", "/media", "/docs", "/oembed"].map((path) => [path, server])) },
});

/** Writes a .br and a .gz file next to each text file, so that the server never has to compress anything. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async writeBundle({ dir = "" }) {
      const files = await readdir(dir, { recursive: true });
      await Promise.all(
        files.filter((file) => /\.(js|css|html|svg)$/.test(file)).map((file) => compress(join(dir, file))),
      );
    },
  };
}

async function compress(file: string): Promise<void> {
  const bytes = await readFile(file);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, quality));
  await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }));
}
