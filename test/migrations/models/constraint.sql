-- A model migration that adds a constraint in two files. This first file enforces the constraint for new rows.
-- Runs with: 0008
-- Lock cost: brief ACCESS EXCLUSIVE on videos; reads no rows.

alter table videos add constraint videos_counted check (last_sequence >= 0) not valid;
