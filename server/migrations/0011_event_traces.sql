-- Where in a trace an event was recorded, so that whoever claims its deliveries (another node, a retry, a replay) goes on
-- with that trace. On the event and not on its open deliveries: these end with each delivery, a replay needs it later.
-- Lock cost: ACCESS EXCLUSIVE on events and its partitions for the moment of the change; no row is read or rewritten.
-- Runs with: 0010

alter table events add column traceparent text;  -- as W3C Trace Context writes it; null where no collector is named
