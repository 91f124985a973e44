import type { Sql, Statement } from "./db.ts";

/** The partitioned tables, each with the column whose UUIDv7 determines the day. */
const PARTITIONED = [
  { parent: "events", key: "id" },
  { parent: "deliveries", key: "id" },
  { parent: "attempts", key: "delivery_id" },
] as const;
type Parent = (typeof PARTITIONED)[number]["parent"];

const MAKE: Statement = {
  name: "partitions_make",
  text: `select count(*) filter (where made)::int as made
    from (select make_partition($1, $2, (now() at time zone 'UTC')::date + offset_days) as made
          from generate_series(0, $3::int) offset_days) days`,
};

/**
 * Creates each table's partitions for today and the coming days. The transaction must have a lock_timeout.
 * @returns how many were created
 */
export async function makePartitions(tx: Sql, daysAhead: number): Promise<number> {
  let made = 0;
  for (const { parent, key } of PARTITIONED) {
    const [row] = await tx.run<{ made: number }>(MAKE, [parent, key, daysAhead]);
    made += row?.made ?? 0;
  }
  return made;
}

/**
 * The first day to keep: the start of the retention period, or the day of the oldest event that a pending delivery
 * still needs, whichever is earlier.
 */
const FIRST_KEPT: Statement = {
  name: "partitions_first_kept",
  text: `select least(
      ((now() - make_interval(days => $1)) at time zone 'UTC')::date,
      (select (to_timestamp(('x' || left(replace(event_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) at time zone 'UTC')::date
       from pending_deliveries order by event_id limit 1))::text as day`,
};

export async function firstDayKept(sql: Sql, retentionDays: number): Promise<string> {
  const [row] = await sql.run<{ day: string }>(FIRST_KEPT, [retentionDays]);
  return row!.day;
}

const DAYS_BEFORE: Statement = {
  name: "partitions_days_before",
  text: "select day::text from partition_days($1) day where day < $2::date order by day",
};

/** One table's partition for one day. */
export interface Partition {
  parent: Parent;
  day: string;
}

/** Lists all daily partitions from before `day`, starting with those of `events`. */
export async function partitionsBefore(sql: Sql, day: string): Promise<Partition[]> {
  const found: Partition[] = [];
  for (const { parent } of PARTITIONED)
    for (const old of await sql.run<{ day: string }>(DAYS_BEFORE, [parent, day])) found.push({ parent, day: old.day });
  return found;
}

const LOCK = {
  events: { name: "partitions_lock_events", text: "lock table only events in access exclusive mode" },
  deliveries: { name: "partitions_lock_deliveries", text: "lock table only deliveries in access exclusive mode" },
  attempts: { name: "partitions_lock_attempts", text: "lock table only attempts in access exclusive mode" },
} as const satisfies Record<Parent, Statement>;
const DROP: Statement = { name: "partitions_drop", text: "select drop_partition($1, $2::date)" };

/**
 * Drops one table's partition for one day, unless a pending delivery needs that day. This is checked again once the
 * table is locked. A transaction that reopens an old delivery reads the delivery's event, so it either commits before
 * the table is locked or finds that the event was deleted.
 * @returns whether it was dropped
 */
export async function dropPartition(tx: Sql, { parent, day }: Partition, retentionDays: number): Promise<boolean> {
  await tx.run(LOCK[parent]);
  if (day >= (await firstDayKept(tx, retentionDays))) return false;
  await tx.run(DROP, [parent, day]);
  return true;
}

const LOCK_TIMEOUT: Statement = { name: "partitions_lock_timeout", text: "set local lock_timeout = '1s'" };

/**
 * Limits how long statements queue behind a partition change. A change that times out waiting for its lock is retried
 * later.
 */
export const boundLockWait = (tx: Sql): Promise<unknown> => tx.run(LOCK_TIMEOUT);
