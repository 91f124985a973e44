// Receives Mave's webhooks with Fastify:  npm install fastify @mave/webhooks
// Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_… node fastify.mjs
import { webhook } from "@mave/webhooks/fastify";
import Fastify from "fastify";

const app = Fastify();

app.register(webhook, {
  path: "/webhooks",
  secret: process.env.WEBHOOK_SECRET,
  onEvent(event) {
    if (event.type === "video.uploaded") console.log(`${event.data.name} is ready to play: ${event.data.embed_url}`);
    else console.log(event.type, event.data.id);
  },
});

await app.listen({ port: Number(process.env.PORT ?? 4000) });
