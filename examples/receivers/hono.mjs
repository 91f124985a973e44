// Receives Mave's webhooks with Hono on Bun or Deno:  npm install hono @mave/webhooks
// Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_… bun hono.mjs
import { webhook } from "@mave/webhooks/hono";
import { Hono } from "hono";

const app = new Hono();

app.post(
  "/webhooks",
  webhook(process.env.WEBHOOK_SECRET, (event) => {
    if (event.type === "video.uploaded") console.log(`${event.data.name} is ready to play: ${event.data.embed_url}`);
    else console.log(event.type, event.data.id);
  }),
);

export default { port: Number(process.env.PORT ?? 4000), fetch: app.fetch };
