-- The second file of the model migration builds an index on each partition concurrently and attaches it to the parent's
-- index, which becomes valid once the last one is attached. Before it builds an index, the file drops any invalid one
-- that an earlier attempt left behind.
-- Runs with: 0008
-- Lock cost: SHARE UPDATE EXCLUSIVE on one partition at a time; reads and writes continue. Brief ACCESS EXCLUSIVE on
-- the partition's new index.

with partitions as (
  select c.oid, c.relname || '_by_exact_response' as name from pg_inherits join pg_class c on c.oid = inhrelid
  where inhparent = 'deliveries'::regclass and not exists (
    select from pg_index i join pg_inherits part on part.inhrelid = i.indexrelid
    where i.indrelid = c.oid and part.inhparent = 'deliveries_by_exact_response'::regclass)
), steps as (
  select oid, name, not exists (
    select from pg_index where indexrelid = to_regclass(format('%I', name)) and indisvalid) as unbuilt
  from partitions
)
select statement from steps, lateral (values
  (1, unbuilt, format('drop index concurrently if exists %I', name)),
  (2, unbuilt, format('create index concurrently %I on %s (space_id, response_status, id desc)', name, oid::regclass)),
  (3, true, format('alter index deliveries_by_exact_response attach partition %I', name))
) step (number, needed, statement)
where needed order by oid, number;
