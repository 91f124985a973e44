import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fastifyStatic from "@fastify/static";
import { ERRORS } from "../kernel/errors.ts";
import type { Api } from "./api.ts";

const HIDDEN = { schema: { hide: true }, config: { access: "anyone" as const } };
const bundle = join(dirname(createRequire(import.meta.url).resolve("@scalar/api-reference")), "browser");

/** Serves the API reference at /docs. All of its files come from this server, so it works offline. */
export async function docsRoutes(app: Api): Promise<void> {
  await app.register(fastifyStatic, { root: bundle, serve: false });
  // Styles need 'unsafe-inline', because the reference's script adds inline styles.
  app.addHook("onRequest", async (_request, reply) => {
    reply.header(
      "content-security-policy",
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  });
  app.get("/docs", HIDDEN, (_request, reply) => reply.type("text/html; charset=utf-8").send(PAGE));
  app.get("/docs/", HIDDEN, (_request, reply) => reply.redirect("/docs", 308));
  app.get("/docs/reference.js", HIDDEN, (_request, reply) =>
    reply.sendFile("standalone.js", { maxAge: "1d", cacheControl: true }),
  );
  app.get("/docs/start.js", HIDDEN, (_request, reply) => reply.type("text/javascript; charset=utf-8").send(START));
  app.get("/docs/errors", HIDDEN, (_request, reply) => reply.type("text/html; charset=utf-8").send(ERROR_PAGE));
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mave API</title>
<link rel="icon" href="data:,">
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript. The OpenAPI document is at <a href="/v1/openapi.json">/v1/openapi.json</a></noscript>
<script src="/docs/reference.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Disables every feature that would contact another origin, such as fonts, telemetry and the assistant. */
const START = `Scalar.createApiReference("#reference", {
  url: "/v1/openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: "never",
});
`;

const rows = Object.entries(ERRORS).map(
  ([code, [status, title, detail]]) =>
    `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td><td>${detail}</td></tr>`,
);

const ERROR_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mave API: errors</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 14px/1.6 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
td, th { text-align: left; padding: 0.3rem 1rem 0.3rem 0; vertical-align: top; }
tr:target { background: Highlight; color: HighlightText; }
</style>
</head>
<body>
<h1>Errors</h1>
<p>A failed request returns a problem (RFC 9457). Its <code>code</code> is one of the following and never changes. Its
<code>detail</code> describes the specific case; the table shows the default. <a href="/docs">API reference</a></p>
<table><thead><tr><th>code</th><th>status</th><th>title</th><th>detail</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table>
</body>
</html>
`;
