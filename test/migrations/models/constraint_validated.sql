-- The second file of the model migration checks that existing rows satisfy the new constraint.
-- Runs with: 0008
-- Lock cost: SHARE UPDATE EXCLUSIVE on videos; reads and writes continue.

alter table videos validate constraint videos_counted;
