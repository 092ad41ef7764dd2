-- Contacts are no longer objects of the configuration: there may be hundreds of thousands, so they are followed by what
-- has changed and never read whole at a change.
create table contacts (
  account text collate "C" not null,
  number text collate "C" not null,
  -- Of the change that wrote it.
  revision bigint not null,
  version integer not null check (version > 0),
  created_at bigint not null,
  updated_at bigint not null,
  -- Null: it was deleted.
  body jsonb,
  primary key (account, number)
);
create unique index contacts_in_order on contacts (revision, account, number);

-- One row. Its lock is held from a change's revision to its commit, so that revisions are seen in their order.
create table contact_revision (
  only_row boolean primary key default true check (only_row),
  revision bigint not null,
  -- Of the change that made it: tells after a lost connection whose it was.
  token text not null
);
insert into contact_revision (revision, token) values (1, '');

-- A large change is brought here piece by piece, and made in one statement.
create unlogged table contact_drafts (
  batch text not null,
  at bigint not null,
  number text collate "C" not null,
  body jsonb
);
create index contact_drafts_batch on contact_drafts (batch);

insert into contacts (account, number, revision, version, created_at, updated_at, body)
select account, body ->> 'number', 1, version, created_at, updated_at, body - 'number' from objects where kind = 'contact'
on conflict do nothing;
delete from objects where kind = 'contact';
