import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { type Blobs, createLocalBlobs } from "./blobs.ts";

/** Every implementation of Blobs must pass these tests. */
const kinds: [string, () => Promise<Blobs>][] = [
  ["a local folder", async () => createLocalBlobs({ folder: await temporaryFolder() })],
];

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mave-blobs-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe.each(kinds)("blobs in %s", async (_kind, open) => {
  const blobs = await open();
  const source = await temporaryFolder();

  async function put(key: string, content: string): Promise<void> {
    const file = join(source, "file");
    await writeFile(file, content);
    await blobs.put(key, file);
  }

  test("are moved into storage and read in ranges", async () => {
    await put("video1/1/a.mp4", "0123456789");
    expect(await readdir(source)).toEqual([]);
    expect(await blobs.head("video1/1/a.mp4")).toMatchObject({ bytes: 10 });
    expect(await text((await blobs.getRange("video1/1/a.mp4", 2, 4))!)).toBe("234");
    expect(await text((await blobs.getRange("video1/1/a.mp4", 0, 9))!)).toBe("0123456789");
  });

  test("are read as null if they do not exist", async () => {
    for (const key of ["video1/1/b.mp4", "nothing/1/a.mp4", "video1/1", "video1/1/a.mp4/x"]) {
      expect(await blobs.head(key)).toBeNull();
    }
    expect(await blobs.getRange("nothing/1/a.mp4", 0, 1)).toBeNull();
  });

  test("can be deleted by prefix, repeatedly and without affecting other blobs", async () => {
    await put("video2/1/a.mp4", "a");
    await put("video2/1-2/a.mp4", "a");
    await put("video22/1/a.mp4", "a");
    await blobs.deletePrefix("video2/1/");
    await blobs.deletePrefix("video2/1/");
    expect(await blobs.head("video2/1/a.mp4")).toBeNull();
    expect(await blobs.head("video2/1-2/a.mp4")).not.toBeNull();
    await blobs.deletePrefix("video2/");
    expect(await blobs.head("video2/1-2/a.mp4")).toBeNull();
    expect(await blobs.head("video22/1/a.mp4")).not.toBeNull();
  });

  test.each(["../a.mp4", "a/../../b.mp4", "/etc/passwd", "a//b.mp4", ".hidden", "a/b/c/d/e.mp4", "a\u0000b", ""])(
    "cannot have the key %j",
    async (key) => {
      expect(await blobs.head(key)).toBeNull();
      expect(await blobs.getRange(key, 0, 1)).toBeNull();
      await expect(put(key, "x")).rejects.toThrow("invalid blob key");
      await expect(blobs.deletePrefix(key)).rejects.toThrow("invalid blob prefix");
    },
  );
});
