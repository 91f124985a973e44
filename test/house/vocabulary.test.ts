import { describe, expect, test } from "vitest";
import { paths, textOf } from "./source.ts";

interface Rule {
  /** The pattern that no line may match, even inside identifiers. */
  banned: RegExp;
  use: string;
  /** Lines that are exempt because someone else chose the name. */
  except?: RegExp;
}

/** Each concept has one name. */
const RULES: Rule[] = [
  {
    banned: /endpoints?/i,
    use: "webhook, or URL",
    except: /createAuthEndpoint|\bendpoints?:|OTEL_EXPORTER|S3_ENDPOINT|s3Endpoint|With an endpoint, tus/,
  },
  { banned: /subscri(?:ption|ber)/i, use: "webhook" },
  { banned: /(?<!use|requestIdle)callback/i, use: "webhook", except: /callback[(:,)?]/ }, // also a parameter name in Node
  { banned: /\bworkspaces?\b/i, use: "space", except: /npm|"workspaces"|workspace package/ },
  { banned: /\b(?:web)?hook_id\b(?<!webhook_id)/, use: "webhook_id" },
  { banned: /answer/i, use: "response (noun), respond (a receiver), return (our API)" },
  { banned: /\b(?:a|an|the|no|its|this|each|every) reply\b|\brepl(?:ies|ied)\b/i, use: "response" },
  { banned: /\btook(?:_m?s)?\s*[=:({})]|how long .{0,50}\btook\b/i, use: "duration, or latency" },
  { banned: /\bopen (?:deliver|event|attempt)|(?<!re)openDeliver|oldestOpen|oldest_open/i, use: "pending" },
  { banned: /\bwhat waits\b/i, use: "backlog" },
  { banned: /cancelation/i, use: "cancellation" },
  { banned: /\bput(?:s|ting)? (?:off|back)\b|\bput-backs?\b|putOff/i, use: "retry, backoff" },
  { banned: /hasten/i, use: "send again (UI), resend (CLI)" },
  { banned: /life.?sign|\bbur(?:y|ied|ies|ying)\b|buryNode/i, use: "heartbeat, presumed dead" },
  { banned: /forsak|\bforsook\b|\bgive[ns]? back\b|\bgiveBack|\blet(?:s|ting)? go\b|letGo/i, use: "release" },
  { banned: /how far (?:it|each|that) is/i, use: "watermark, low-water mark, cursor" },
  { banned: /shar(?:e|es|ed|ing).commits?/i, use: "group commit" },
  { banned: /\bpaces?\b|\bpaced\b/i, use: "rate limit, or ordering" },
  { banned: /caretaker/i, use: "janitor" },
  { banned: /with all of these/i, use: "bulk actions" },
  { banned: /\bhalf under\b/i, use: "median" },
  { banned: /erase what/i, use: "erase event data" },
  { banned: /\bthe matter\b/i, use: "the last error, the reason" },
  {
    banned: /parcel|courier|verdict|\bHappenings?\b/i,
    use: "NewEvent, LeasedDelivery, Attempt, Outcome or Settlement",
  },
  { banned: /\bjobs?\b/i, use: "delivery, replay, cancellation, or upload", except: /proxy's job/ },
  { banned: /\bdoors?\b|\bwhoever\b|\bone of theirs\b|\bis looked for\b|\bfor as long as\b/i, use: "plain words" },
];

const OWN = "test/house/vocabulary.test.ts";
const READ = /\.(?:tsx?|mjs|sql|md|html|css|json|ya?ml)$|^\.ci\//;
const files = paths
  .filter((path) => READ.test(path) && path !== OWN)
  .map((path) => ({ path, lines: textOf(path).split("\n") }));

describe("the vocabulary", () => {
  test.each(RULES)("does not include $banned; use $use", ({ banned, use, except }) => {
    const found = files.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        banned.test(line) && !except?.test(line) ? [`${path}:${index + 1}  ${line.trim()}`] : [],
      ),
    );
    expect(found, `Use: ${use}.`).toEqual([]);
  });
});
