/** A call to the API of a server under measurement. @returns the response's JSON @throws for anything but 2xx */
export async function call<Answer = Record<string, unknown>>(
  url: string,
  key: string,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Answer;
}

/** Registers a webhook for these types. */
export const register = (url: string, key: string, sink: string, events: string[]) =>
  call(url, key, "POST", "/v1/webhooks", { url: sink, events });
