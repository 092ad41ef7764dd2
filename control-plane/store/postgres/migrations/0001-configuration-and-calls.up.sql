-- Times are epoch milliseconds, as everywhere in the program.

create table objects (
  account text collate "C" not null,
  kind text collate "C" not null,
  id text collate "C" not null,
  version integer not null check (version > 0),
  created_at bigint not null,
  updated_at bigint not null,
  body jsonb not null,
  primary key (account, kind, id)
);
-- A number and an extension are the whole system's, not an account's.
create unique index objects_number_e164 on objects ((body ->> 'e164')) where kind = 'number';
create unique index objects_device_extension on objects ((body ->> 'extension')) where kind = 'device' and body ? 'extension';

-- One row. Its lock is what makes changes happen one after the other.
create table revision (
  only_row boolean primary key default true check (only_row),
  revision bigint not null,
  last_seq bigint not null
);
insert into revision (revision, last_seq) values (0, 0);

create table changes (
  seq bigint primary key,
  revision bigint not null,
  -- Tells after a lost connection whose change a revision was.
  token text not null,
  at bigint not null,
  actor text not null,
  account text collate "C" not null,
  kind text collate "C" not null,
  id text collate "C" not null,
  before jsonb,
  after jsonb,
  undoes bigint
);
create index changes_revision on changes (revision);
create index changes_object on changes (account, kind, id, seq desc);
create index changes_account on changes (account, seq desc);

create table api_keys (
  id text primary key,
  name text not null,
  role text not null,
  account text collate "C",
  hash text not null unique,
  created_at bigint not null,
  last_used_at bigint,
  expires_at bigint
);

create table audit (
  seq bigint generated always as identity primary key,
  at bigint not null,
  actor text not null,
  account text collate "C",
  action text not null,
  subject text not null,
  outcome text not null,
  address text not null,
  details jsonb not null
);
create index audit_account on audit (account, seq desc);
create index audit_subject on audit (subject, seq desc);

create table idempotency (
  actor text not null,
  key text not null,
  fingerprint text not null,
  at bigint not null,
  -- Null while the request runs.
  status integer,
  headers jsonb,
  body text,
  primary key (actor, key)
);
create index idempotency_at on idempotency (at);

create table cdrs (
  call_id text collate "C" primary key,
  account text collate "C" not null,
  started_at bigint not null,
  caller_digits text not null,
  -- Each three digits in a row, for an index that finds digits anywhere without an extension.
  caller_parts text[] not null,
  dialled text not null,
  disposition text,
  record jsonb not null
);
create index cdrs_account_newest on cdrs (account, started_at desc, call_id desc);
create index cdrs_newest on cdrs (started_at desc, call_id desc);
create index cdrs_caller on cdrs using gin (caller_parts);
create index cdrs_dialled on cdrs (dialled, started_at desc);

-- How far each file of a data directory has been sent, in bytes. Kept with the records, so that a database that is new,
-- or was restored, is sent what it lacks.
create table cdr_spools (
  spool text not null,
  file text not null,
  sent bigint not null,
  primary key (spool, file)
);
