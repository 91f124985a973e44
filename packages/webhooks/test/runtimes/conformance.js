/** Checks that the built package must pass on every runtime: all vectors, and one adapter. */
import { sign, verify } from "@mave/webhooks";
import { webhook } from "@mave/webhooks/fetch";
import { createInbox, memoryStore } from "@mave/webhooks/order";
import vectors from "@mave/webhooks/vectors.json";

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/** @returns one line per failure */
export async function conformance() {
  const failures = [];
  for (const { name, body, headers, secrets, now, tolerance, reason } of vectors.verify) {
    const outcome = await verify(body, headers, secrets, { now, tolerance }).then(
      () => null,
      (error) => error.code ?? String(error),
    );
    if (outcome !== reason) failures.push(`${name}: ${outcome} instead of ${reason}`);
  }
  for (const { name, body, headers, secrets, id, t } of vectors.sign) {
    const signed = await sign(body, secrets, { id, now: t });
    if (JSON.stringify(signed) !== JSON.stringify(headers)) failures.push(`sign, ${name}: ${JSON.stringify(signed)}`);
  }
  return failures.concat(await throughAnAdapter());
}

async function throughAnAdapter() {
  const handled = [];
  const events = async function* () {};
  const inbox = createInbox({ store: memoryStore(), events, handle: (event) => handled.push(event.id) });
  const body = '{"id":"j3bw2jWb6q7aWGwChsgR86","type":"webhook.test","data":{"object":"webhook"}}';
  const request = async () => new Request("http://a/", { method: "POST", body, headers: await sign(body, secret) });
  const receive = webhook(secret, inbox);
  const statuses = [(await receive(await request())).status, (await receive(await request())).status];
  const outcome = `${statuses} ${handled}`;
  return outcome === "204,204 j3bw2jWb6q7aWGwChsgR86" ? [] : [`fetch adapter: ${outcome}`];
}
