-- The third file: the partitions' indexes become the parent's, which is valid from then on.
-- Runs with: 0010
-- Lock cost: ACCESS EXCLUSIVE on the new indexes for the moment of the change; no row is read.

do $$
declare
  part record;
begin
  for part in
    select c.relname || '_by_answers' as name from pg_inherits join pg_class c on c.oid = inhrelid
    where inhparent = 'deliveries'::regclass and to_regclass(format('%I', c.relname || '_by_answers')) is not null
  loop
    execute format('alter index deliveries_by_answers attach partition %I', part.name);
  end loop;
end
$$;
