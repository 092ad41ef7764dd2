-- How far the deliveries of each webhook have come. The webhook itself is an object of the configuration.
create table webhook_states (
  account text collate "C" not null,
  webhook text collate "C" not null,
  -- A place in the stream of the account's events, <ms>-<n>: all up to it was delivered or given up.
  cursor_ms bigint not null,
  cursor_n bigint not null,
  failing_since bigint,
  trouble text,
  delivered_at bigint,
  disabled_at bigint,
  primary key (account, webhook)
);

-- Events that were given up.
create table webhook_dead_letters (
  seq bigint generated always as identity primary key,
  account text collate "C" not null,
  webhook text collate "C" not null,
  event_id text collate "C" not null,
  -- When it happened.
  at bigint not null,
  event jsonb not null,
  attempts integer not null,
  why text not null,
  died_at bigint not null,
  replay_at bigint,
  unique (account, webhook, event_id)
);
create index webhook_dead_letters_to_replay on webhook_dead_letters (at) where replay_at is not null;
