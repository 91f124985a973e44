import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { sign } from "../src/index.ts";
import { signatureHeaders } from "../src/node.ts";

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const old = "whsec_GBkaGxwdHh8gISIjJCUmJygpKissLS4v";
const body = JSON.stringify({ id: "j3bw2jWb6q7aWGwChsgR86", object: "event", data: { name: "Zürich 🎬" } });

test("the Standard Webhooks reference library verifies a delivery, including during a rotation", async () => {
  const time = Math.floor(Date.now() / 1000);
  const sent = { body: Buffer.from(body), id: "j3bw2jWb6q7aWGwChsgR86", time, secrets: [secret, old] };
  for (const headers of [signatureHeaders(sent), await sign(body, [secret, old])] as Record<string, string>[]) {
    for (const known of [secret, old]) expect(new Webhook(known).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
  }
});

test("a secret of any allowed length works with both schemes", async () => {
  for (const bytes of [24, 25, 32, 48, 64]) {
    const own = `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;
    expect(new Webhook(own).verify(body, await sign(body, own))).toEqual(JSON.parse(body));
  }
});
