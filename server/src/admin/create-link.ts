import { createSignInLink } from "../auth/sign-in-links.ts";
import type { Config } from "../config/config.ts";
import { systemRandom } from "../kernel/random.ts";
import { withStore } from "./with-store.ts";

/** @returns the address of the dashboard, to be opened once */
export function createLink(config: Config): Promise<string> {
  const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`;
  return withStore(config, (db) => createSignInLink(db, systemRandom, publicUrl));
}
