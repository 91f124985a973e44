/** The embed page's styles, inlined to avoid a second request. All contrast ratios are at least 4.5:1. */
export const EMBED_STYLE = `
:root { color-scheme: light dark; --canvas: #f5f5f7; --text: #18181d; --text-2: #52525c; --accent: #3d4edb; --line: #e5e5ea }
@media (prefers-color-scheme: dark) {
  :root { --canvas: #0d0d10; --text: #ededf1; --text-2: #a9a9b4; --accent: #98a2ff; --line: #29292f }
}
* { box-sizing: border-box }
html, body { height: 100%; margin: 0 }
body { background: var(--canvas); color: var(--text); font: 14px/22px system-ui, sans-serif }
body.plays { background: #000; color: #fff }
#stage { position: relative; width: 100%; height: 100%; display: grid; place-items: center; overflow: hidden }
#poster { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain }
#play {
  position: relative; width: 72px; height: 72px; display: grid; place-items: center; padding: 0; border: 0;
  border-radius: 50%; background: rgb(20 20 24 / 78%); color: #fff; cursor: pointer
}
#play::after { content: ""; position: fixed; inset: 0 }
#play:hover { background: #4a58e0 }
#play:focus-visible { outline: 3px solid #98a2ff; outline-offset: 3px }
.loading #play { animation: breathe 1s ease-in-out infinite alternate }
@keyframes breathe { to { opacity: .5 } }
#duration {
  position: absolute; right: 12px; bottom: 12px; padding: 1px 8px; border-radius: 4px; background: rgb(20 20 24 / 86%);
  color: #fff; font-size: 12px; font-variant-numeric: tabular-nums
}
noscript p { position: absolute; left: 12px; bottom: 12px; margin: 0; padding: 1px 8px; border-radius: 4px; background: #141418 }
.hidden-title { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.missing { position: absolute; left: 12px; top: 12px; margin: 0; padding: 1px 8px; background: #141418; color: #fff }
.state { height: 100%; display: grid; place-content: center; justify-items: start; padding: 24px; max-width: 78ch; margin: auto }
.state h1 { margin: 0 0 4px; font-size: 20px; line-height: 28px; font-weight: 600; letter-spacing: -.015em }
.state p { margin: 0; color: var(--text-2) }
.state .progress { display: flex; gap: 12px; align-items: center; margin-top: 16px; font-variant-numeric: tabular-nums }
progress { width: 240px; height: 6px; appearance: none; border: 0; border-radius: 3px; overflow: hidden; background: var(--line) }
progress::-webkit-progress-bar { background: var(--line) }
progress::-webkit-progress-value { background: var(--accent); transition: width .3s }
progress::-moz-progress-bar { background: var(--accent) }
media-controller {
  width: 100%; height: 100%; outline: 0; --media-primary-color: #fff; --media-secondary-color: transparent;
  --media-font-family: system-ui, sans-serif; --media-font-size: 13px; --media-control-background: transparent;
  --media-control-hover-background: rgb(255 255 255 / 14%); --media-range-bar-color: #98a2ff;
  --media-range-track-background: rgb(255 255 255 / 30%); --media-preview-thumbnail-border-radius: 4px
}
media-controller video { width: 100%; height: 100%; object-fit: contain }
media-controller media-control-bar, media-controller > media-time-range { width: 100% }
media-controller media-control-bar { background: linear-gradient(rgb(0 0 0 / 35%), rgb(0 0 0 / 75%)); padding: 0 4px 4px }
media-controller > media-time-range { height: 36px; padding: 14px 12px 0; background: linear-gradient(transparent, rgb(0 0 0 / 35%)) }
media-preview-time-display { padding: 1px 6px; border-radius: 4px; background: rgb(20 20 24 / 86%) }
media-controller .spacer { flex: 1 }
.rate { padding: 0 10px; border: 0; background: none; color: #fff; font: 13px/1 system-ui, sans-serif; font-variant-numeric: tabular-nums; cursor: pointer }
.rate:hover { background: rgb(255 255 255 / 14%) }
.rate:focus-visible { outline: 2px solid #98a2ff; outline-offset: -3px }
@media (max-width: 420px) { media-volume-range, media-pip-button { display: none } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important } }
`;
