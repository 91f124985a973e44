-- A model: a constraint, in two files. From the first on it holds for what is written.
-- Runs with: 0010
-- Lock cost: ACCESS EXCLUSIVE on videos for the moment of the change; no row is read.

alter table videos add constraint videos_counted check (last_sequence >= 0) not valid;
