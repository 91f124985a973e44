-- The second file validates existing rows.
-- Runs with: 0008
-- Lock cost: SHARE UPDATE EXCLUSIVE on videos; reads and writes continue.

alter table videos validate constraint videos_counted;
