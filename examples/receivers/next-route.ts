// Receives Mave's webhooks in a Next.js app. Save this file as app/webhooks/route.ts and set WEBHOOK_SECRET.
import { webhook } from "@mave/webhooks/fetch";

export const POST = webhook(process.env.WEBHOOK_SECRET!, async (event) => {
  switch (event.type) {
    case "video.uploaded":
      console.log(`${event.data.name} is ready to play: ${event.data.embed_url}`);
      break;
    case "video.deleted":
      console.log(`${event.data.id} is gone`);
      break;
  }
});
