import { expect, test } from "vitest";
import { sign, verify } from "./index.ts";
import { signatureHeaders, verifySync } from "./node.ts";

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const body = '{"type":"video.created"}';

test("a body signed by Mave is verified and parsed", async () => {
  const headers = {
    "Mave-Signature": "t=1643723823, v1=e7199e561f97fff8ffbdb384818e09e2aed7b4bb68d77feef3f22019520e3c2d",
  };
  expect(await verify(body, headers, secret, { now: 1643723823 })).toEqual({ type: "video.created" });
  expect(verifySync(Buffer.from(body), headers, secret, { now: 1643723823 })).toEqual({ type: "video.created" });
});

test("both ways to sign give the documented headers", async () => {
  const expected = {
    "Mave-Signature": "t=1643723823, v1=e7199e561f97fff8ffbdb384818e09e2aed7b4bb68d77feef3f22019520e3c2d",
    "webhook-id": "j3bw2jWb6q7aWGwChsgR86",
    "webhook-timestamp": "1643723823",
    "webhook-signature": "v1,Qn83be3Tu7TZDIWOibizpzWKNZsQyDYaPWEewwJzzyA=",
  };
  const id = "j3bw2jWb6q7aWGwChsgR86";
  expect(await sign(body, secret, { id, now: 1643723823 })).toEqual(expected);
  expect(signatureHeaders({ body: Buffer.from(body), id, time: 1643723823, secrets: [secret] })).toEqual(expected);
});
