import { signatureHeaders, verifySync } from "@mave/webhooks/node";
import { conformance } from "./conformance.js";

const failures = await conformance();
const secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];
const body = new TextEncoder().encode("{}");
const headers = signatureHeaders({ body, id: "a", time: 1_643_723_823, secrets });
if (verifySync(body, headers, secrets, { now: 1_643_723_823 }) === undefined) failures.push("node: not verified");
console.log(JSON.stringify({ failures }));
