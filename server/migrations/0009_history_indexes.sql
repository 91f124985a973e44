-- Indexes for filters of the history that would read all of it to find a few rows: one status, one kind of response, one
-- rare type.
-- What they cost: nothing for the delivery that succeeds. A response other than 2xx always ends in a status other than
-- `succeeded`, so those indexes are on unsuccessful rows alone, written once after the last attempt. Types that each
-- upload brings (created, processing, uploaded) are most of any history and are found by walking it; the others are in
-- an index of their own.
-- Lock cost: each index reads the partitions once and lets writes of its table wait meanwhile; few rows enter it.

-- Read by lists of one webhook and status. `deliveries_unsuccessful` (0005) is for those of every webhook.
create index deliveries_unsuccessful_by_webhook on deliveries (space_id, webhook_id, status, id desc)
  where status <> 'succeeded';
-- Read by lists of one kind of response: its first digit, 0 where there was none.
create index deliveries_by_response on deliveries (space_id, (coalesce(response_status / 100, 0)), id desc)
  where status <> 'succeeded';
create index deliveries_by_webhook_response on deliveries (space_id, webhook_id, (coalesce(response_status / 100, 0)), id desc)
  where status <> 'succeeded';
create index deliveries_by_rare_type on deliveries (space_id, type, id desc)
  where type not in ('video.created', 'video.processing', 'video.uploaded');
create index events_by_rare_type on events (space_id, type, tx, id)
  where type not in ('video.created', 'video.processing', 'video.uploaded');
