-- Callers who have hung up and are to be called back in their place.
create table callbacks (
  seq bigint generated always as identity primary key,
  account text collate "C" not null,
  id text collate "C" not null,
  queue text collate "C" not null,
  -- Number, place and call, as it was asked for.
  asked jsonb not null,
  -- waiting, calling, over
  state text not null,
  -- The call of the try that is under way.
  calling text collate "C",
  tries jsonb not null,
  not_before bigint not null,
  outcome text,
  ended_at bigint,
  unique (account, id)
);
create index callbacks_open on callbacks (seq) where state <> 'over';
create index callbacks_calling on callbacks (calling) where calling is not null;
create index callbacks_of_queue on callbacks (account, queue, seq desc);
create index callbacks_over on callbacks (ended_at) where state = 'over';
