// biome-ignore-all lint/a11y/noRedundantRoles: some browsers drop a table's semantics once its rows are laid out as grids
/** A table whose rows become blocks of two or three lines in a narrow pane. Both layouts share their columns. */
import type { CSSProperties, ReactNode } from "react";
import { Button } from "./button.tsx";
import { classes } from "./classes.ts";

export interface Column<T> {
  name: string;
  /** Shows the name only to screen readers, for columns of buttons or pictures. */
  hideName?: boolean;
  /** A grid track, such as "120px" or "minmax(0,1fr)". Columns are 24 px apart. */
  width: string;
  /** Numbers, times, and actions are right-aligned. */
  align?: "end";
  /** The narrowest pane that shows this column: mid (720 px, the default), wide (1,000 px), or roomy (1,160 px). */
  from?: keyof typeof visible;
  /** The cell's position in panes narrower than 720 px. If omitted, the cell is hidden in those panes. */
  narrow?: keyof typeof places;
  className?: string;
  cell: (row: T) => ReactNode;
}

/**
 * The positions in a row of a narrow pane. A picture comes first, then two lines, each with a start and an end, then
 * buttons. A third line is below the first two.
 */
const places = {
  picture: "narrow:col-start-1 narrow:row-span-2 narrow:row-start-1 narrow:pr-4",
  title: "narrow:col-start-2 narrow:row-start-1",
  titleEnd: "narrow:col-start-3 narrow:row-start-1 narrow:pl-3 narrow:text-right",
  detail: "narrow:col-start-2 narrow:row-start-2",
  detailEnd: "narrow:col-start-3 narrow:row-start-2 narrow:pl-3 narrow:text-right",
  actions: "narrow:col-start-3 narrow:row-span-2 narrow:row-start-1 narrow:self-center narrow:pl-3",
  below: "narrow:col-span-2 narrow:col-start-2 narrow:row-start-3 narrow:whitespace-normal",
};

const visible = { mid: "", wide: "mid:hidden wide:block", roomy: "mid:hidden roomy:block" };

interface TableProps<T> {
  /** Describes the rows and how they are sorted, for screen readers. */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowClass?: string;
  /** Whether the table is inside a section that has its own padding. */
  inset?: boolean;
}

/** Each row has one link with `data-row` and `stretched`. It makes the whole row clickable, and J and K focus it. */
export function Table<T extends { id?: string }>({ label, columns, rows, rowClass, inset }: TableProps<T>) {
  const line = classes("table-columns border-b border-line", !inset && "gutter");
  return (
    <table role="table" aria-label={label} className="-mt-px block border-t border-line" style={tracks(columns)}>
      <thead role="rowgroup" className="block">
        <tr role="row" className={classes(line, "h-9 items-center text-meta text-text-3 narrow:sr-only!")}>
          {columns.map((column) => (
            <th
              key={column.name}
              role="columnheader"
              scope="col"
              className={cellClass(column, "font-normal whitespace-nowrap!")}
            >
              <span className={column.hideName ? "sr-only" : undefined}>{column.name}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" className="block">
        {rows.map((row) => (
          <tr key={row.id} role="row" className={classes(line, rowLook, rowClass ?? "mid:min-h-11")}>
            {columns.map((column) => (
              <td key={column.name} role="cell" className={cellClass(column, column.className)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const rowLook =
  "group relative transition-colors duration-[120ms] has-[[data-row]:focus-visible]:bg-hover has-[[data-row]]:hover:bg-hover mid:items-center narrow:gap-y-0.5 narrow:py-2.5";

const cellClass = <T,>({ align, from = "mid", narrow }: Column<T>, more?: string) =>
  classes(
    "block min-w-0 truncate text-left",
    align && "text-right",
    visible[from],
    narrow ? places[narrow] : "narrow:hidden",
    more,
  );

/** Returns the grid tracks for the columns shown at each pane width. See `table-columns` in styles.css. */
function tracks<T>(columns: readonly Column<T>[]): CSSProperties {
  const of = (...shown: (string | undefined)[]) =>
    columns.flatMap(({ from, width }) => (shown.includes(from) ? [width] : [])).join(" ");
  return {
    "--tracks-mid": of(undefined),
    "--tracks-wide": of(undefined, "wide"),
    "--tracks-roomy": of(undefined, "wide", "roomy"),
  } as CSSProperties;
}

/** The button below a list that has more pages. */
export function LoadMore({ busy, onClick }: { busy: boolean; onClick: () => void }) {
  return (
    <div className="gutter py-4">
      <Button busy={busy} onClick={onClick}>
        Load more
      </Button>
    </div>
  );
}
