const HMAC = { name: "HMAC", hash: "SHA-256" };

/** Computes HMAC-SHA256 with WebCrypto, which every supported runtime provides. */
export async function hmac(key: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey("raw", key as Uint8Array<ArrayBuffer>, HMAC, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(HMAC, imported, message as Uint8Array<ArrayBuffer>));
}
