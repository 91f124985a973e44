-- A model: what a new feature remembers, in a new column and a new table.
-- Runs with: 0010
-- Lock cost: ACCESS EXCLUSIVE on deliveries and its partitions for the moment of the change; no row is read.

alter table deliveries add column remark text not null default '';

create table remarks (
  space_id uuid not null,
  id uuid not null,
  remark text not null,
  primary key (space_id, id)
);
