// Receives Mave's webhooks on servers built on the Fetch API: Bun, Deno, Cloudflare Workers.
// Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_… bun fetch.mjs
import { webhook } from "@mave/webhooks/fetch";

const receive = webhook(process.env.WEBHOOK_SECRET, (event) => {
  if (event.type === "video.uploaded") console.log(`${event.data.name} is ready to play: ${event.data.embed_url}`);
  else console.log(event.type, event.data.id);
});

export default { port: Number(process.env.PORT ?? 4000), fetch: (request) => receive(request) };
