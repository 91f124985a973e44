-- A model: an index of a partitioned table, in two files. The first makes the parent's, which is not valid yet; a day that
-- retention makes from now on gets its own with it.
-- Runs with: 0010
-- Lock cost: SHARE on the parent alone for the moment of the change; no row is read.

create index deliveries_by_exact_response on only deliveries (space_id, response_status, id desc);
