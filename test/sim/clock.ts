/**
 * Prepares a database for the simulation. The database uses the world's clock: unqualified `now()` and
 * `statement_timestamp()` resolve to these functions, and column defaults use them. The time is stored in a sequence,
 * because setting a sequence creates no row version and needs no commit. For the invariant checks, a trigger adds three
 * values to each pending delivery: the transaction that inserted it, that transaction's snapshot, and whether the
 * webhook was ordered at the time.
 */
export const SIMULATED_DATABASE = `
  create schema sim;
  create unlogged sequence sim.clock_ms;
  create function sim.now() returns timestamptz stable language sql as
    'select to_timestamp(last_value / 1000.0) from sim.clock_ms';
  create function sim.statement_timestamp() returns timestamptz stable language sql as
    'select to_timestamp(last_value / 1000.0) from sim.clock_ms';
  do $$ declare one record; begin
    for one in select c.oid::regclass as of, a.attname as name from pg_attrdef d join pg_class c on c.oid = d.adrelid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
        where c.relnamespace = 'public'::regnamespace and pg_get_expr(d.adbin, d.adrelid) in ('now()', 'pg_catalog.now()') loop
      execute format('alter table %s alter column %I set default sim.now()', one.of, one.name);
    end loop;
  end $$;

  create table sim.replayed (replay_id uuid, delivery_id uuid);
  alter table pending_deliveries add column opened_in xid8, add column opened_seeing pg_snapshot, add column ordered boolean;
  -- Stable, so that it uses the snapshot of the inserting statement.
  create function sim.note_opening() returns trigger stable language plpgsql as $$ begin
    new.opened_in := pg_current_xact_id();
    new.opened_seeing := pg_current_snapshot();
    new.ordered := (select ordering = 'video' from webhooks where space_id = new.space_id and id = new.webhook_id);
    return new;
  end $$;
  create trigger note_opening before insert on pending_deliveries for each row execute function sim.note_opening();
  create function sim.note_replayed() returns trigger language plpgsql as $$ begin
    insert into sim.replayed values (new.replay_id, new.id);
    return null;
  end $$;
  create trigger note_replayed after insert on pending_deliveries for each row when (new.replay_id is not null)
    execute function sim.note_replayed();
`;
