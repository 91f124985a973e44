import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../../test/support/database.ts";
import { packedRows } from "./packed-rows.ts";

const db = await testDatabase();

interface Row {
  id: string;
  words: string | null;
  count: number | null;
  done: boolean | null;
  noted?: string;
}

const { rows, pack } = packedRows<Row>("$1", {
  ...{ id: "uuid", words: "text", count: "float8", done: "boolean", noted: "text" },
});
const statement = { name: "packed_rows_back", text: `select * from ${rows} as r` };
const back = (given: readonly Row[]) => db.run<Row>(statement, [pack(given)]);
const row = (more: Partial<Row> = {}): Row => ({
  ...{ id: "0192f0c1-2345-7abc-8def-0123456789ab", words: "some", count: 1, done: true, noted: "so" },
  ...more,
});

describe("packed rows", () => {
  test("are read back unchanged and in order", async () => {
    const given = [
      row({ words: null, count: null, done: null }),
      row({ words: "", count: -0.1, done: false }),
      row({ words: `{"a":"b\\u001e","c":[null]}`, count: 1_643_723_823_123.25 }),
      row({ words: "'\"\\,{}()\t\r\n \u0001\u007f", count: 1e300 }),
      row({ words: "ä 漢 🎬 NULL null", count: 0 }),
    ];
    expect(await back(given)).toEqual(given);
  });

  test("are empty if there are no rows", async () => {
    expect(await back([])).toEqual([]);
  });

  test("contain null for an omitted field", async () => {
    const { noted: _, ...without } = row();
    expect(await back([without, row()])).toEqual([row({ noted: null as never }), row()]);
  });

  test("replace separators and invalid characters, so no value can break a row", async () => {
    const given = [row({ words: "a\x1eb\x1fc\x1dd\0e" }), row({ words: "\x1d" }), row({ words: "\ud800" })];
    const words = ["a\ufffdb\ufffdc\ufffdd\ufffde", "\ufffd", "\ufffd"];
    expect(await back(given)).toEqual(words.map((text) => row({ words: text })));
  });
});
