-- A model: an index of a partitioned table, in two files. The first one creates the parent's index, which is invalid until
-- all partitions have theirs. Partitions created from now on get one automatically.
-- Runs with: 0008
-- Lock cost: brief SHARE on the parent only; reads no rows.

create index deliveries_by_exact_response on only deliveries (space_id, response_status, id desc);
