import { Type } from "typebox";
import { LIMITS } from "../../kernel/limits.ts";
import {
  body,
  id,
  integer,
  listOf,
  objectWord,
  page,
  resource,
  text,
  textOrNull,
  time,
  timeOrNull,
  word,
} from "./common.ts";

const keyFields = {
  id: id(),
  object: objectWord("api_key"),
  created: time("When it was made."),
  name: text("What it is for."),
  scope: word(["read", "write"], { description: "`read` may not change anything, nor see a secret." }),
  hint: text("Its last four characters."),
  last_used: timeOrNull("When it was last used, to the minute."),
};
export const ApiKey = resource("ApiKey", "What a program signs in with.", keyFields);
export const ApiKeyWithKey = resource("ApiKeyWithKey", "A new API key. The key itself is shown this once.", {
  ...keyFields,
  key: text("Send it as `Authorization: Bearer …`.", { examples: ["mave_…"] }),
});
export const ApiKeyList = listOf(ApiKey);
export const ApiKeyCreate = body(
  {
    name: text("What it is for.", { minLength: 1, maxLength: LIMITS.NAME_CHARACTERS_MAX }),
    scope: Type.Optional(word(["read", "write"], { description: "What it may do.", default: "write" })),
  },
  { $id: "ApiKeyCreate", description: "A new API key." },
);
export const PageQuery = body({ ...page });

const email = text("An email address.", { minLength: 3, maxLength: 254, pattern: "^[^\\s@]+@[^\\s@]+$" });
const password = text("At least 10 characters.", { minLength: 10, maxLength: 128 });
const token = text("What follows the # of the link.", { minLength: 1, maxLength: 128 });
const personName = text("What to call this person.", { minLength: 1, maxLength: LIMITS.NAME_CHARACTERS_MAX });

export const Session = resource("Session", "Who is signed in to the dashboard.", {
  object: objectWord("session"),
  user: Type.Object({ id: text("The person's id."), name: text("The name."), email: text("The email address.") }),
  space: Type.Object({ id: id(), name: text("The space's name.") }),
});
export const Space = resource("Space", "The tenant: it owns videos, webhooks and API keys; people are its members.", {
  id: id(),
  object: objectWord("space"),
  created: time("When it was created."),
  name: text("What people call it."),
});
export const SpaceUpdate = body(
  { name: text("What people call it.", { minLength: 1, maxLength: LIMITS.NAME_CHARACTERS_MAX, pattern: "\\S" }) },
  { $id: "SpaceUpdate", description: "What to change." },
);
export const SignIn = body(
  { email, password: text("The password.", { minLength: 1, maxLength: 128 }) },
  { $id: "SignIn", description: "Email and password." },
);
export const LinkOpen = body({ token }, { $id: "LinkOpen", description: "A one-time link." });
export const Link = resource("Link", "What a one-time link is for.", {
  object: objectWord("link"),
  purpose: word(["owner", "sign_in", "invitation"], { description: "`sign_in` has signed you in." }),
});
export const OwnerCreate = body(
  { token, name: personName, email, password },
  { $id: "OwnerCreate", description: "The first person of a new server, or one who was invited." },
);
export const SignedOut = resource("SignedOut", "Signed out.", {
  object: objectWord("session"),
  deleted: Type.Boolean(),
});

export const Member = resource("Member", "A person of the space.", {
  id: text("The member's id."),
  object: objectWord("member"),
  created: time("Since when."),
  name: text("The name."),
  email: text("The email address."),
  role: word(["owner", "member"], { description: "The owner may invite and remove people." }),
});
export const MemberList = listOf(Member);
export const Invitation = resource("Invitation", "A one-time link that lets a person join the space.", {
  object: objectWord("invitation"),
  url: text("Give it to that person. Shown once."),
  expires: time("When it stops working."),
});

export const AuditEntry = resource("AuditEntry", "Something that someone did.", {
  id: id(),
  object: objectWord("audit_entry"),
  created: time("When."),
  action: text("What, such as webhook.secret_revealed."),
  actor: text("Who: an email address, `key <name>`, or `operator`."),
  address: textOrNull("From where."),
  subject: textOrNull("The id of what it was done to."),
  details: Type.Unsafe<Record<string, unknown>>({
    type: "object",
    description: "More about it.",
    additionalProperties: true,
  }),
});
export const AuditEntryList = listOf(AuditEntry);

export const Overview = resource("Overview", "What the dashboard shows on every page.", {
  object: objectWord("overview"),
  version: text("The server's version."),
  public_url: text("Where people reach this server."),
  webhooks: Type.Object({
    total: integer("All."),
    failing: integer("Enabled ones whose last attempts failed."),
    disabled: integer("Disabled."),
  }),
  deliveries: Type.Object({
    pending: integer("Not finished."),
    per_second: Type.Number({ description: "Attempts per second during the last minute." }),
  }),
  videos: Type.Object({
    total: integer("All."),
    bytes: integer("Bytes of their files."),
    waiting: integer("Without a file."),
    uploading: integer("Being uploaded."),
    processing: integer("Being processed."),
    ready: integer("Ready to play."),
    failed: integer("Not playable."),
  }),
  ffmpeg: Type.Object({
    available: Type.Boolean(),
    version: textOrNull("Which."),
    hint: textOrNull("What to do where it is missing."),
  }),
  limits: Type.Object({
    retention_days: integer("How long events and deliveries are kept."),
    upload_bytes: integer("A file's size at most."),
  }),
});
