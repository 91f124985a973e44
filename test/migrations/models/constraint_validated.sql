-- The second file: what was there before is read.
-- Runs with: 0010
-- Lock cost: SHARE UPDATE EXCLUSIVE on videos: reads and writes go on.

alter table videos validate constraint videos_counted;
