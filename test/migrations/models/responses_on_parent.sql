-- A model migration that adds an index to a partitioned table in two files. This first file creates the parent's index,
-- which is invalid until every partition has an index. New partitions get their index automatically.
-- Runs with: 0008
-- Lock cost: brief SHARE on the parent only; reads no rows.

create index deliveries_by_exact_response on only deliveries (space_id, response_status, id desc);
