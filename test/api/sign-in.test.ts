import { expect, test } from "vitest";
import { createSignInLink } from "../../server/src/auth/sign-in-links.ts";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";

const db = await testDatabase();
const api = await testApi(db);
const link = async () => new URL(await createSignInLink(db, api.random, api.publicUrl)).hash.slice(1);

/** Creates a client that stores cookies and sends an Origin header, like a browser. */
function browser() {
  const jar = new Map<string, string>();
  const send = async (method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object, headers = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await api.ask(method, path, body, { authorization: "", cookie, origin: api.url, ...headers });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
      if (value === "" || /max-age=0/i.test(set)) jar.delete(name!);
      else jar.set(name!, value!);
    }
    return response;
  };
  return { jar, send };
}

const ANN = { name: "Ann", email: "ann@example.com", password: "correct horse battery" };
const first = browser();

test("without an owner, there is no session and no password is accepted", async () => {
  expect((await first.send("GET", "/v1/session")).status).toBe(401);
  const { status, json } = await first.send("POST", "/v1/session", {
    email: "a@example.com",
    password: "password1234",
  });
  expect([status, json.code]).toEqual([401, "SIGN_IN_FAILED"]);
});

test("if first-run links are used fifty times at once, exactly one use creates the owner", async () => {
  const tokens = await Promise.all(Array.from({ length: 25 }, link));
  const tries = [...tokens, ...tokens].map((token, n) => {
    const person = n === 0 ? first : browser();
    const body = n === 0 ? { token, ...ANN } : { token, ...ANN, email: `nr${n}@example.com` };
    return person.send("POST", "/v1/session/owner", body);
  });
  const codes = (await Promise.all(tries)).map(({ status, json }) => json.code ?? status);
  expect(codes.filter((code) => code === 201)).toHaveLength(1);
  for (const code of codes) expect([201, "OWNER_EXISTS", "LINK_INVALID"]).toContain(code);
  const people = await db.run({ name: "people", text: 'select email from auth."user"' });
  expect(people).toHaveLength(1);
});

test("the owner gets the space that the first startup created", async () => {
  const owner = await ownerBrowser();
  const { json } = await owner.send("GET", "/v1/session");
  expect(json).toMatchObject({ object: "session", space: { name: "My space" } });
  const key = await owner.send("POST", "/v1/api-keys", { name: "hers" });
  expect(key.status).toBe(201);
  const seen = await api.ask("GET", "/v1/api-keys", undefined, { authorization: `Bearer ${key.json.key}` });
  expect(seen.json.data.map(({ name }: { name: string }) => name)).toContain("write key");
});

/** Creates a browser that is signed in as the owner. */
async function ownerBrowser() {
  const person = browser();
  const { status, json } = await person.send("POST", "/v1/session/link", { token: await link() });
  expect([status, json.purpose]).toEqual([200, "sign_in"]);
  return person;
}

test("a sign-in link works only once, and only until it expires", async () => {
  const token = await link();
  const person = browser();
  expect((await person.send("POST", "/v1/session/link", { token })).json.purpose).toBe("sign_in");
  expect((await person.send("GET", "/v1/session")).status).toBe(200);
  const again = await browser().send("POST", "/v1/session/link", { token });
  expect([again.status, again.json.code]).toEqual([410, "LINK_INVALID"]);
  const late = await link();
  await db.run({ name: "age_links", text: "update sign_in_links set expires_at = now() where used_at is null" });
  expect((await browser().send("POST", "/v1/session/link", { token: late })).json.code).toBe("LINK_INVALID");
  expect((await browser().send("POST", "/v1/session/owner", { token: late, ...ANN })).status).toBe(410);
});

test("the database does not contain usable links", async () => {
  const token = await link();
  const rows = await db.run<{ all: string }>({
    name: "links",
    text: "select sign_in_links::text as all from sign_in_links",
  });
  expect(rows.some(({ all }) => all.includes(token) || all.includes(Buffer.from(token).toString("hex")))).toBe(false);
});

test("a session row copied from the database does not authenticate", async () => {
  await ownerBrowser();
  const rows = await db.run<{ token: string; id: string }>({
    name: "sessions",
    text: "select token, id from auth.session",
  });
  for (const { token, id } of rows) {
    for (const value of [token, id, `${token}.${token}`, encodeURIComponent(`${token}.`)]) {
      const tries = [{ cookie: `mave.session_token=${value}` }, { authorization: `Bearer ${value}` }];
      for (const headers of tries) {
        const { status } = await api.ask("GET", "/v1/session", undefined, { authorization: "", ...headers });
        expect(status).toBe(401);
      }
    }
  }
});

test("signing out invalidates the old cookie", async () => {
  const person = await ownerBrowser();
  const copied = new Map(person.jar);
  copied.delete("mave.session_data"); // the signed cache cookie stays valid for up to a minute
  expect((await person.send("DELETE", "/v1/session")).status).toBe(200);
  expect((await person.send("GET", "/v1/session")).status).toBe(401);
  const cookie = [...copied].map(([name, value]) => `${name}=${value}`).join("; ");
  expect((await api.ask("GET", "/v1/session", undefined, { authorization: "", cookie })).status).toBe(401);
});

test("cookies are HttpOnly and SameSite", async () => {
  const response = await browser().send("POST", "/v1/session/link", { token: await link() });
  const cookies = response.headers.getSetCookie();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) expect(cookie).toMatch(/HttpOnly.*SameSite=Lax/i);
});

test.each([
  ["no origin", { origin: "" }, 403],
  ["another origin", { origin: "https://evil.example" }, 403],
  ["a null origin", { origin: "null" }, 403],
  ["an origin that contains our hostname", { origin: "https://localhost.evil.example" }, 403],
  ["another site (per Sec-Fetch-Site)", { origin: "", "sec-fetch-site": "cross-site" }, 403],
  ["another origin on the same site (per Sec-Fetch-Site)", { origin: "", "sec-fetch-site": "same-site" }, 403],
  ["our page (per Sec-Fetch-Site)", { origin: "", "sec-fetch-site": "same-origin" }, 201],
  ["our public URL", { origin: "http://videos.example.com" }, 201],
])("a request with a session cookie from %s is accepted or rejected as specified", async (_, headers, expected) => {
  const person = await ownerBrowser();
  const { status, json } = await person.send("POST", "/v1/videos", { name: "x" }, headers);
  expect(status).toBe(expected);
  if (expected === 403) expect(json.code).toBe("ORIGIN_REFUSED");
});

test("a request with an API key is accepted from any origin, because browsers never add API keys on their own", async () => {
  const { status } = await api.ask("POST", "/v1/videos", {}, { origin: "https://evil.example" });
  expect(status).toBe(201);
});

test("an invited member can use the link only once, can access the space, and cannot invite others", async () => {
  const owner = await ownerBrowser();
  const invitation = await owner.send("POST", "/v1/members");
  expect(invitation.status).toBe(201);
  const token = new URL(invitation.json.url).hash.slice(1);
  const bob = browser();
  expect((await bob.send("POST", "/v1/session/link", { token })).json.purpose).toBe("invitation");
  const newcomer = { name: "Bob", email: "bob@example.com", password: "another long one" };
  expect((await bob.send("POST", "/v1/session/owner", { token, ...newcomer })).status).toBe(201);
  expect(
    (await browser().send("POST", "/v1/session/owner", { token, ...newcomer, email: "c@example.com" })).status,
  ).toBe(410);
  expect((await bob.send("GET", "/v1/videos")).status).toBe(200);
  expect((await bob.send("POST", "/v1/members")).json.code).toBe("PERSON_NEEDED");

  const members = (await owner.send("GET", "/v1/members")).json.data;
  expect(members.map(({ role }: { role: string }) => role)).toEqual(["owner", "member"]);
  const id = members[1].id;
  expect((await owner.send("DELETE", `/v1/members/${id}`)).status).toBe(200);
  bob.jar.delete("mave.session_data");
  expect((await bob.send("GET", "/v1/videos")).status).toBe(401);
  expect((await owner.send("DELETE", `/v1/members/${members[0].id}`)).json.code).toBe("CONFLICT");
  const actions = (await owner.send("GET", "/v1/audit-log")).json.data.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(expect.arrayContaining(["member.invited", "member.removed", "api_key.created"]));
});

test.each([
  ["an invalid email", { email: "nobody" }, "/email"],
  ["an email with an invalid domain", { email: "a@b.c" }, "/email"],
  ["a short password", { password: "short" }, "/password"],
  ["no name", { name: "" }, "/name"],
])("joining with %s is rejected, and the link stays valid", async (_, wrong, path) => {
  const owner = await ownerBrowser();
  const token = new URL((await owner.send("POST", "/v1/members")).json.url).hash.slice(1);
  const newcomer = { name: "Cy", email: `cy${path.length}@example.com`, password: "long enough to be one" };
  const refused = await browser().send("POST", "/v1/session/owner", { token, ...newcomer, ...wrong });
  expect([refused.status, refused.json.errors[0].path]).toEqual([422, path]);
  expect((await browser().send("POST", "/v1/session/link", { token })).json.purpose).toBe("invitation");
});

test("a removed member can change nothing, even with a session that is still cached, and loses API keys", async () => {
  const owner = await ownerBrowser();
  const token = new URL((await owner.send("POST", "/v1/members")).json.url).hash.slice(1);
  const eve = browser();
  const newcomer = { name: "Eve", email: "eve@example.com", password: "a very long password" };
  expect((await eve.send("POST", "/v1/session/owner", { token, ...newcomer })).status).toBe(201);
  const { json: key } = await eve.send("POST", "/v1/api-keys", { name: "Eve's key" });
  expect(key.created_by).toBe("eve@example.com");
  const withKey = () => api.ask("GET", "/v1/videos", undefined, { authorization: `Bearer ${key.key}` });
  expect((await withKey()).status).toBe(200); // now this node has cached the key
  const members: { id: string; email: string }[] = (await owner.send("GET", "/v1/members")).json.data;
  const { id } = members.find(({ email }) => email === newcomer.email)!;
  expect((await owner.send("DELETE", `/v1/members/${id}`)).status).toBe(200);

  expect((await eve.send("GET", "/v1/videos")).status).toBe(200); // the cookie's copy of the session
  expect((await eve.send("POST", "/v1/videos", { name: "Mine" })).json.code).toBe("KEY_MISSING");
  expect((await eve.send("POST", "/v1/api-keys", { name: "another" })).json.code).toBe("KEY_MISSING");
  expect((await withKey()).status).toBe(401);
  const [entry] = (await owner.send("GET", "/v1/audit-log?limit=1")).json.data;
  expect(entry).toMatchObject({ action: "member.removed", actor: ANN.email, details: { email: newcomer.email } });
  expect(entry.details.api_keys).toEqual(["Eve's key"]);
});

test("a session that was signed out can change nothing, even if a copy of its cookies exists", async () => {
  const person = await ownerBrowser();
  const cookie = [...person.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  expect((await person.send("DELETE", "/v1/session")).status).toBe(200);
  const copied = { authorization: "", cookie, origin: api.url };
  expect((await api.ask("POST", "/v1/videos", { name: "Late" }, copied)).json.code).toBe("KEY_MISSING");
});

test("wrong passwords are rate limited with Retry-After, but the owner's own device is not locked out", async () => {
  const known = browser();
  expect((await known.send("POST", "/v1/session", { email: ANN.email, password: ANN.password })).status).toBe(201);
  await known.send("DELETE", "/v1/session");
  known.jar.delete("mave.session_data");
  const tries = [];
  for (let n = 0; n < 12; n++)
    tries.push(await browser().send("POST", "/v1/session", { email: "ann@example.com", password: `wrong ${n} wrong` }));
  expect(tries[0]!.json).toMatchObject({ code: "SIGN_IN_FAILED", detail: "The email or password is incorrect." });
  const last = tries.at(-1)!;
  expect([last.status, last.json.code]).toEqual([429, "RATE_LIMITED"]);
  expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(60);

  expect((await known.send("POST", "/v1/session", { email: ANN.email, password: ANN.password })).status).toBe(201);
  const other = { email: "someone@example.com", password: "wrong password" };
  const foreign = await api.ask("POST", "/v1/session", other, {
    authorization: "",
    cookie: `mave.device=${known.jar.get("mave.device")}`,
    origin: api.url,
  });
  expect(foreign.json.code).toBe("SIGN_IN_FAILED"); // the device is known for Ann's email only
});
