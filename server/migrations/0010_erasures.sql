-- Erasing what the log knows of a deleted video: its events stay without their payloads.
-- Why null and not a text that says so: whatever is about to send a payload already knows what to do where there is none.
-- Lock cost: ACCESS EXCLUSIVE on events and its partitions for the moment of the change; no row is read or rewritten.

alter table events add column erased_at timestamptz;  -- when its payload was removed
alter table events alter column payload drop not null;
