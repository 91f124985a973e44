import { createSocket } from "node:dgram";

/** The response to one query. To simulate DNS rebinding, return a different address for each query. */
export type DnsResult = { addresses: string[]; ttl?: number } | "nxdomain" | "servfail" | "refused" | "silence";

export interface DnsServer {
  /** `127.0.0.1:port` */
  address: string;
  /** All queries received so far. */
  questions: { name: string; type: "A" | "AAAA" }[];
  close(): void;
}

const TYPES = { 1: "A", 28: "AAAA" } as const;
const RCODES = { nxdomain: 3, servfail: 2, refused: 5 } as const;

/** Starts a small authoritative DNS server on a UDP port. The function passed by the test determines its responses. */
export async function startDnsServer(response: (name: string, type: "A" | "AAAA") => DnsResult): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const questions: DnsServer["questions"] = [];
  socket.on("message", (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    questions.push({ name, type });
    const result = response(name, type);
    if (result !== "silence") socket.send(encodeResponse(query, end, type, result), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { address: `127.0.0.1:${socket.address().port}`, questions, close: () => socket.close() };
}

function readQuestion(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = TYPES[query.readUInt16BE(at + 1) as keyof typeof TYPES];
  return { name: labels.join(".").toLowerCase(), type, end: at + 5 };
}

function encodeResponse(query: Buffer, end: number, type: "A" | "AAAA", result: Exclude<DnsResult, "silence">): Buffer {
  const addresses = typeof result === "string" ? [] : result.addresses;
  const records = addresses
    .filter((address) => address.includes(":") === (type === "AAAA"))
    .map((address) => record(address, type, typeof result === "string" ? 0 : (result.ttl ?? 0)));
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8580 | (typeof result === "string" ? RCODES[result] : 0), 2); // flags: authoritative response
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...records]);
}

function record(address: string, type: "A" | "AAAA", ttl: number): Buffer {
  const data = type === "A" ? Buffer.from(address.split(".").map(Number)) : ipv6Bytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // a compression pointer to the name in the query
  head.writeUInt16BE(type === "A" ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = "", right] = address.split("::");
  const groups = (text: string) => text.split(":").filter(Boolean);
  const gap = right === undefined ? 0 : 8 - groups(left).length - groups(right).length;
  const all = [...groups(left), ...Array<string>(gap).fill("0"), ...groups(right ?? "")];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}
