import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { client, dns, endings, open, receiver } from "../../../test/support/safe-client.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createMachineNames } from "./machine-names.ts";

describe("names that this machine resolves itself", () => {
  const files = async (hosts: string, resolver = "") => {
    const folder = await mkdtemp(join(tmpdir(), "mave-names-"));
    endings.push(() => rm(folder, { recursive: true }));
    const paths = { hosts: join(folder, "hosts"), resolver: join(folder, "resolv.conf") };
    await writeFile(paths.hosts, hosts);
    await writeFile(paths.resolver, resolver);
    let ahead_ms = 0;
    const clock = { monotonic: () => systemClock.monotonic() + ahead_ms };
    const later = () => {
      ahead_ms += LIMITS.HOSTS_FILE_CHECK_MS + 1;
    };
    return { paths, later, machineNames: createMachineNames(clock, paths) };
  };

  test("are taken from the hosts file, and changes to it are noticed", async () => {
    const target = await receiver();
    const { paths, later, machineNames } = await files("127.0.0.1 receiver.example.test # ours\n::1 other\n");
    const servers = await dns(() => "nxdomain");
    const { post } = client({ machineNames, dnsServers: [servers.address], policy: open("loopback", "10.0.0.0/8") });
    expect(await post(`http://receiver.example.test:${target.port}/`)).toMatchObject({ status: 200 });
    expect(await post(`http://moved.example.test:${target.port}/`)).toMatchObject({ error: { word: "dns_failed" } });
    await writeFile(paths.hosts, "127.0.0.1 once.example.test twice.example.test\n");
    later();
    expect(await post(`http://twice.example.test:${target.port}/`)).toMatchObject({ status: 200 });
  });

  test("are subject to the address policy", async () => {
    const { machineNames } = await files("127.0.0.1 inside.example.com\n169.254.169.254 metadata.example.com\n");
    const { post } = client({ machineNames, policy: open() });
    for (const name of ["inside", "metadata"])
      expect(await post(`http://${name}.example.com/`)).toMatchObject({
        error: { word: "address_blocked" },
        wrote: false,
      });
  });

  test("are completed with the resolver's search list", async () => {
    const target = await receiver();
    const { machineNames } = await files("", "search apps.internal.test\noptions ndots:5\n");
    const asked: string[] = [];
    const servers = await dns((name) => {
      asked.push(name);
      return name === "receiver.apps.internal.test" ? { addresses: ["127.0.0.1"] } : "nxdomain";
    });
    const policy = open("loopback", "10.0.0.0/8");
    const { post } = client({ machineNames, dnsServers: [servers.address], policy });
    expect(await post(`http://receiver:${target.port}/`)).toMatchObject({ status: 200 });
    await post(`http://full.example.com:${target.port}/`);
    expect(asked.filter((name) => name.includes("full"))[0]).toBe("full.example.com"); // complete names come first
  });
});
