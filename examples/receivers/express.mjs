// Receives Mave's webhooks with Express:  npm install express @mave/webhooks
// Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_… node express.mjs
import { webhook } from "@mave/webhooks/express";
import express from "express";

const app = express();

app.post(
  "/webhooks",
  webhook(process.env.WEBHOOK_SECRET, async (event) => {
    if (event.type === "video.uploaded") console.log(`${event.data.name} is ready to play: ${event.data.embed_url}`);
    else console.log(event.type, event.data.id);
  }),
);

app.listen(process.env.PORT ?? 4000);
