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
  created: time("When the key was created."),
  name: text("Display name."),
  scope: word(["read", "write"], { description: "A `read` key cannot change anything or reveal secrets." }),
  hint: text("Last four characters of the key."),
  last_used: timeOrNull("When the key was last used, to the minute."),
  created_by: textOrNull("The email of the person who created the key, or `key` and the name of the key that did."),
};
export const ApiKey = resource("ApiKey", "A credential for programs.", keyFields);
export const ApiKeyWithKey = resource("ApiKeyWithKey", "A new API key. The key itself is shown only once.", {
  ...keyFields,
  key: text("The key itself. Send it as `Authorization: Bearer …`.", { examples: ["mave_…"] }),
});
export const ApiKeyList = listOf(ApiKey);
export const ApiKeyCreate = body(
  {
    name: text("Display name.", { minLength: 1, maxLength: LIMITS.NAME_CHARACTERS_MAX }),
    scope: Type.Optional(word(["read", "write"], { description: "The key's permissions.", default: "write" })),
  },
  { $id: "ApiKeyCreate", description: "The new API key." },
);
export const PageQuery = body({ ...page });

const email = text("An email address.", { minLength: 3, maxLength: 254, pattern: "^[^\\s@]+@[^\\s@]+$" });
const password = text("At least 10 characters.", {
  minLength: LIMITS.PASSWORD_CHARACTERS_MIN,
  maxLength: LIMITS.PASSWORD_CHARACTERS_MAX,
});
const token = text("The part of the link after `#`.", { minLength: 1, maxLength: 128 });
const personName = text("The person's name.", { minLength: 1, maxLength: LIMITS.NAME_CHARACTERS_MAX });

export const Session = resource("Session", "The person who is signed in.", {
  object: objectWord("session"),
  user: Type.Object({ id: text("The person's id."), name: text("Name."), email: text("Email address.") }),
  space: Type.Object({ id: id(), name: text("The space's name.") }),
});
export const Space = resource("Space", "A space owns videos, webhooks and API keys. People are its members.", {
  id: id(),
  object: objectWord("space"),
  created: time("When the space was created."),
  name: text("Display name."),
});
export const SpaceUpdate = body(
  { name: text("Display name.", { minLength: 1, maxLength: LIMITS.NAME_CHARACTERS_MAX, pattern: "\\S" }) },
  { $id: "SpaceUpdate", description: "The fields to change." },
);
export const SignIn = body(
  { email, password: text("Password.", { minLength: 1, maxLength: LIMITS.PASSWORD_CHARACTERS_MAX }) },
  { $id: "SignIn", description: "A person's email address and password." },
);
export const LinkOpen = body({ token }, { $id: "LinkOpen", description: "A one-time link." });
export const Link = resource("Link", "A one-time link.", {
  object: objectWord("link"),
  purpose: word(["owner", "sign_in", "invitation"], {
    description:
      "`sign_in` means that the person is now signed in. For `owner` and `invitation`, create an account next.",
  }),
});
export const OwnerCreate = body(
  { token, name: personName, email, password },
  { $id: "OwnerCreate", description: "The account to create for the first owner or an invited person." },
);
export const SignedOut = resource("SignedOut", "The ended session.", {
  object: objectWord("session"),
  deleted: Type.Boolean(),
});

export const Member = resource("Member", "A person with access to the space.", {
  id: text("The member's id."),
  object: objectWord("member"),
  created: time("When the person joined."),
  name: text("Name."),
  email: text("Email address."),
  role: word(["owner", "member"], { description: "The owner can invite and remove members." }),
});
export const MemberList = listOf(Member);
export const Invitation = resource("Invitation", "A one-time link that lets a person join the space.", {
  object: objectWord("invitation"),
  url: text("The link to send to the invited person. Shown only once."),
  expires: time("When the link expires."),
});

export const AuditEntry = resource("AuditEntry", "A recorded action.", {
  id: id(),
  object: objectWord("audit_entry"),
  created: time("When the action happened."),
  action: text("For example `webhook.secret_revealed`."),
  actor: text("An email address, `key <name>` or `operator`."),
  actor_id: textOrNull("The actor's id, which stays the same if the name changes. Null for an operator."),
  address: textOrNull("The actor's IP address."),
  subject: textOrNull("The id of the affected object."),
  details: Type.Unsafe<Record<string, unknown>>({
    type: "object",
    description: "Details that depend on the action.",
    additionalProperties: true,
  }),
});
export const AuditEntryList = listOf(AuditEntry);

export const Overview = resource("Overview", "The data that the dashboard shows on every page.", {
  object: objectWord("overview"),
  version: text("The server version."),
  public_url: text("The server's public URL."),
  webhooks: Type.Object({
    total: integer("All webhooks."),
    failing: integer("Enabled webhooks that are failing."),
    disabled: integer("Disabled webhooks."),
  }),
  deliveries: Type.Object({
    pending: integer("Pending deliveries."),
    per_second: Type.Number({ description: "Attempts per second during the last minute." }),
  }),
  videos: Type.Object({
    total: integer("All videos."),
    bytes: integer("Total size of all files in bytes."),
    waiting: integer("Without a file."),
    uploading: integer("Being uploaded."),
    processing: integer("Being processed."),
    ready: integer("Ready to play."),
    failed: integer("Not playable."),
  }),
  ffmpeg: Type.Object({
    available: Type.Boolean(),
    version: textOrNull("The ffmpeg version."),
    hint: textOrNull("How to install ffmpeg if it is missing."),
  }),
  limits: Type.Object({
    retention_days: integer("How many days events and deliveries are kept."),
    upload_bytes: integer("Maximum file size in bytes."),
  }),
});
