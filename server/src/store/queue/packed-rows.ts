/** Columns in their order: their names, and the types that PostgreSQL reads them as. */
type Columns = Readonly<Record<string, string>>;

type Field = string | number | boolean | null | undefined;

/**
 * Many rows as one text parameter, for the statements that run for every event. As JSON PostgreSQL reads each character
 * of a payload and of a log's headers to find their ends, which took twice as long as all of this, and Node encodes
 * them three times as slowly.
 * @param parameter where that text stands in the statement, such as `$1`
 * @returns `rows`: what the statement selects them from; `pack`: that parameter's value
 */
export function packedRows<Row extends { [Name in keyof Row]: Field }>(
  parameter: string,
  columns: Columns & Record<keyof Row, string>,
): { rows: string; pack(rows: readonly Row[]): string } {
  const names = Object.keys(columns) as (keyof Row & string)[];
  const fields = names.map((name, index) => `fields[${index + 1}]::${columns[name]} as ${name}`);
  // `offset 0`: else a row would be split once for each of its fields.
  const rows = `(select ${fields.join(", ")} from unnest(string_to_array(${parameter}, E'\\x1e')) as line
    cross join lateral (select string_to_array(line, E'\\x1f', E'\\x1d') as fields offset 0) as split)`;
  const packRow = (row: Row) => names.map((name) => packField(row[name])).join(BETWEEN_FIELDS);
  return { rows, pack: (all) => all.map(packRow).join(BETWEEN_ROWS) };
}

const BETWEEN_ROWS = "\x1e"; // ASCII's record separator
const BETWEEN_FIELDS = "\x1f"; // its unit separator
const NULL = "\x1d";

/** Of what means something here, and of NUL, which no text of PostgreSQL can hold. JSON holds none of these. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const RESERVED = /[\0\x1d-\x1f]/g;

function packField(field: Field): string {
  if (typeof field === "string") return field.replace(RESERVED, "\ufffd");
  return field === null || field === undefined ? NULL : String(field);
}
