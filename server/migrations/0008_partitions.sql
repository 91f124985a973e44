-- Functions for the daily partitions of events, deliveries and attempts. Partitions are created ahead of time, and
-- dropped whole after the retention period. Functions are needed because DDL statements take no parameters. Only these
-- functions assemble SQL at run time, from a date and quoted identifiers. Partitions are bounded by id, because the
-- first 48 bits of a UUIDv7 are a timestamp. A delivery's id starts with the same bits as its event's id, so an event,
-- its deliveries and their attempts are in the partitions of the same day.
-- Lock cost: none; this file only creates functions. Each function's comment lists the locks that it takes.

-- Returns the smallest id for a given time.
create function id_floor(moment timestamptz) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Creates one day's partition of `parent`. Returns false if the partition already exists, or if rows from that day are
-- in the default partition because a clock was wrong. Those rows stay there until they expire. Attaching takes SHARE
-- UPDATE EXCLUSIVE on the parent (reads and writes continue) and ACCESS EXCLUSIVE on the default partition, which is
-- empty on a healthy system.
create function make_partition(parent text, key_column text, day date) returns boolean language plpgsql as $$
declare
  partition text := parent || to_char(day, '_YYYYMMDD');
  low uuid := id_floor(day::timestamp at time zone 'UTC');
  high uuid := id_floor((day + 1)::timestamp at time zone 'UTC');
  strays boolean;
begin
  if to_regclass(format('%I', partition)) is not null then return false; end if;
  execute format('select exists (select from %I where %I >= $1 and %I < $2)', parent || '_default', key_column, key_column)
    into strays using low, high;
  if strays then return false; end if;
  execute format('create table %I (like %I including defaults including constraints)', partition, parent);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, partition, low, high);
  return true;
end
$$;

-- Returns the days for which `parent` has a partition.
create function partition_days(parent text) returns setof date language sql stable as $$
  select to_date(right(child.relname, 8), 'YYYYMMDD')
  from pg_inherits join pg_class child on child.oid = inhrelid
  where inhparent = to_regclass(format('%I', parent)) and child.relname ~ '_\d{8}$'
$$;

-- Drops one day's partition of `parent`. Dropping it briefly takes ACCESS EXCLUSIVE on the parent, so callers set
-- lock_timeout and retry later if it expires. `detach … concurrently` would take a weaker lock, but is not allowed if
-- there is a default partition.
create function drop_partition(parent text, day date) returns void language plpgsql as $$
begin
  execute format('drop table %I', parent || to_char(day, '_YYYYMMDD'));
end
$$;
