-- A model migration that adds a column and a table.
-- Runs with: 0008
-- Lock cost: brief ACCESS EXCLUSIVE on deliveries and its partitions; reads no rows.

alter table deliveries add column remark text not null default '';

create table remarks (
  space_id uuid not null,
  id uuid not null,
  remark text not null,
  primary key (space_id, id)
);
