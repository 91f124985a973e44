-- The second file: an index for each partition, built beside its writers. What an earlier try left unfinished is dropped.
-- Runs with: 0010
-- Lock cost: SHARE UPDATE EXCLUSIVE on one partition at a time: reads and writes go on.

with partitions as (
  select c.oid, c.relname || '_by_answers' as name from pg_inherits join pg_class c on c.oid = inhrelid
  where inhparent = 'deliveries'::regclass
), missing as (
  select oid, name from partitions p where not exists (
    select from pg_index i left join pg_inherits h on h.inhrelid = i.indexrelid
    where i.indrelid = p.oid and i.indisvalid
      and (i.indexrelid = to_regclass(format('%I', name)) or h.inhparent = 'deliveries_by_answers'::regclass))
)
select statement from missing, lateral (values
  (1, format('drop index concurrently if exists %I', name)),
  (2, format('create index concurrently %I on %s (space_id, answer_status, id desc)', name, oid::regclass))
) steps (step, statement)
order by oid, step;
