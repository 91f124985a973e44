import type { Video } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { bytes, length, moment } from "../format.ts";
import { Fact, Facts, Section } from "../ui/page.tsx";
import { When } from "../ui/time.tsx";

const NB = "\u00a0";
const formatBitrate = (bitrate: number) => `${(bitrate / 1e6).toFixed(1)}${NB}Mbit/s`;

export function VideoDetails({ video }: { video: Video }) {
  const { created, last_upload, duration, width, height, size, renditions } = video;
  return (
    <Section title="Details">
      <Facts>
        <Fact name="Created">
          <Moment at={created} />
        </Fact>
        <Fact name="Uploaded">{last_upload === null ? "–" : <Moment at={last_upload} />}</Fact>
        <Fact name="Length">{length(duration)}</Fact>
        <Fact name="Resolution">{width && height ? `${width}${NB}×${NB}${height}` : "–"}</Fact>
        <Fact name="File size">{bytes(size)}</Fact>
        <Fact name="Renditions">
          {renditions.length === 0
            ? "–"
            : renditions.map(({ name, bitrate }) => (
                <span key={name} className="block">
                  {name} <span className="text-text-2">{formatBitrate(bitrate)}</span>
                </span>
              ))}
        </Fact>
      </Facts>
    </Section>
  );
}

function Moment({ at }: { at: number }) {
  return <When at={at}>{useAging((now) => moment(at, now))}</When>;
}
