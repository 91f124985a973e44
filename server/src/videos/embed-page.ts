import { type Embed, escapeHtml } from "./embed.ts";
import { EMBED_STYLE } from "./embed-style.ts";

/** Builds the page at a video's `embed_url`. Pure. The page shows the poster before any script has loaded. */
export interface PageParts {
  publicUrl: string;
  /** URL of the player's script; null if it has not been built. */
  script: string | null;
}

/** @param embed null if no video has ever had this id */
export function embedPage(embed: Embed | null, { publicUrl, script }: PageParts): string {
  const body =
    embed === null ? statePage(UNKNOWN) : embed.status === "ready" ? playerBody(embed) : statePage(stateOf(embed));
  const hasScript = embed !== null && embed.status !== "deleted" && script !== null;
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<link rel="icon" href="data:,">',
    `<title>${escapeHtml(embed?.name ?? "Video")}</title>`,
    embed === null || embed.status === "deleted"
      ? '<meta name="robots" content="noindex">'
      : metadata(embed, publicUrl),
    `<style>${EMBED_STYLE}</style>`,
    "</head>",
    `<body${embed?.status === "ready" ? ' class="plays"' : ""}>`,
    body,
    ...(script === null ? ['<p class="missing">The player is not built. Start the server with `npm start`.</p>'] : []),
    ...(hasScript ? [dataBlock(embed), `<script type="module" src="${script}"></script>`] : []),
    "</body>",
    "</html>",
  ].join("\n");
}

/** Metadata for link previews and search engines. */
function metadata(embed: Embed, publicUrl: string): string {
  const { url, width, height, poster, name, status } = embed;
  const title = name ?? "Video";
  const oembed = `${publicUrl}/oembed?url=${encodeURIComponent(url)}`;
  const image = poster && `${publicUrl}${poster}`;
  const tags: [string, string][] = [
    ["og:type", "video.other"],
    ["og:title", title],
    ["og:url", url],
    ...(status === "ready"
      ? ([
          ["og:video", url],
          ["og:video:secure_url", url],
          ["og:video:type", "text/html"],
          ["og:video:width", String(width)],
          ["og:video:height", String(height)],
        ] as [string, string][])
      : []),
    ...(image ? ([["og:image", image]] as [string, string][]) : []),
    ["twitter:card", status === "ready" ? "player" : "summary"],
    ["twitter:title", title],
    ["twitter:player", url],
    ["twitter:player:width", String(width)],
    ["twitter:player:height", String(height)],
  ];
  return [
    `<link rel="canonical" href="${escapeHtml(url)}">`,
    `<link rel="alternate" type="application/json+oembed" href="${escapeHtml(oembed)}" title="${escapeHtml(title)}">`,
    ...(embed.poster ? [`<link rel="preload" as="image" href="${embed.poster}" fetchpriority="high">`] : []),
    ...tags.map(([name, content]) => `<meta ${attributeOf(name)}="${name}" content="${escapeHtml(content)}">`),
    ...(status === "ready" ? [linkedData(embed, publicUrl)] : []),
  ].join("\n");
}

const attributeOf = (name: string) => (name.startsWith("og:") ? "property" : "name");

/** https://schema.org/VideoObject */
function linkedData(embed: Embed, publicUrl: string): string {
  const { name, url, poster, duration_s, uploaded, playback } = embed;
  const object = {
    "@context": "https://schema.org",
    "@type": "VideoObject",
    name: name ?? "Video",
    embedUrl: url,
    contentUrl: `${publicUrl}${playback}`,
    ...(poster ? { thumbnailUrl: `${publicUrl}${poster}` } : {}),
    ...(duration_s === null ? {} : { duration: `PT${duration_s}S` }),
    ...(uploaded === null ? {} : { uploadDate: uploaded.toISOString() }),
  };
  return `<script type="application/ld+json">${scriptText(object)}</script>`;
}

function dataBlock({ id, status, name, playback, poster, storyboard }: Embed): string {
  const data = { id, status, name, playback, poster, storyboard };
  return `<script type="application/json" id="video">${scriptText(data)}</script>`;
}

/** Serializes a value to JSON that cannot close the script element that contains it. */
const scriptText = (value: unknown) => JSON.stringify(value).replace(/</g, "\\u003c");

const PLAY =
  '<svg viewBox="0 0 24 24" width="30" height="30" aria-hidden="true"><path d="M8 5.14v13.72L19 12z" fill="currentColor"/></svg>';

function playerBody({ name, poster, duration_s }: Embed): string {
  return [
    '<main id="stage" aria-label="Player">',
    `<h1 class="hidden-title">${escapeHtml(name ?? "Video")}</h1>`,
    poster ? `<img id="poster" src="${poster}" alt="" fetchpriority="high">` : "",
    `<button id="play" type="button" aria-label="${escapeHtml(name === null ? "Play" : `Play ${name}`)}">${PLAY}</button>`,
    duration_s === null ? "" : `<span id="duration">${playingTime(duration_s)}</span>`,
    "<noscript><p>JavaScript is required to play this video.</p></noscript>",
    "</main>",
  ].join("\n");
}

function playingTime(duration_s: number): string {
  const all = Math.max(1, Math.round(duration_s));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(all / 60) % 60;
  const hours = Math.floor(all / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

interface State {
  title: string;
  text: string;
  progress?: number;
}

const UNKNOWN: State = { title: "Video not found", text: "Check the URL for missing characters." };

function stateOf(embed: Embed): State {
  switch (embed.status) {
    case "waiting":
      return { title: "No video yet", text: "The video will play here once a file has been uploaded." };
    case "uploading":
      return { title: "Uploading video", text: "It will play here once it is ready." };
    case "processing":
      return {
        title: "Processing video",
        text: "It will play here once it is ready.",
        progress: embed.progress ?? 0,
      };
    case "failed":
      return { title: "Video unavailable", text: embed.error ?? "The video could not be processed." };
    default:
      return { title: "Video deleted", text: "This video is no longer available." };
  }
}

function statePage({ title, text, progress }: State): string {
  return [
    '<main class="state" aria-label="Player">',
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(text)}</p>`,
    progress === undefined
      ? ""
      : `<p class="progress"><progress id="progress" max="100" value="${progress}" aria-label="Processing"></progress><span id="percent" aria-live="off">${progress}%</span></p>`,
    "</main>",
  ].join("\n");
}
