import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";

interface DevicesParts {
  random: Random;
  publicUrl: string;
  cookieKey: Buffer;
}

/** Remembers on which devices a user has signed in, with a signed cookie. It grants no access. */
export interface Devices {
  /** Returns the `Set-Cookie` value for a device on which a user has just signed in with this email. */
  remember(email: string): string;
  /** Returns the device's id if a user has signed in with this email on it before, otherwise null. */
  find(headers: IncomingHttpHeaders, email: string): string | null;
}

const NAME = "mave.device";
const COOKIE = /(?:^|;\s*)mave\.device=([\w-]+)\.([\w-]+)/;

export function createDevices({ random, publicUrl, cookieKey }: DevicesParts): Devices {
  const sign = (id: string, email: string): Buffer =>
    createHmac("sha256", cookieKey).update(`device ${id} ${email.toLowerCase()}`).digest();
  return {
    remember(email) {
      const id = random.bytes(16).toString("base64url");
      const secure = publicUrl.startsWith("https:") ? "; Secure" : "";
      const value = `${id}.${sign(id, email).toString("base64url")}`;
      return `${NAME}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${LIMITS.DEVICE_KNOWN_S}${secure}`;
    },
    find({ cookie = "" }, email) {
      const [, id = "", signature = ""] = COOKIE.exec(cookie) ?? [];
      const [given, expected] = [Buffer.from(signature, "base64url"), sign(id, email)];
      return given.length === expected.length && timingSafeEqual(given, expected) ? id : null;
    },
  };
}
