-- Each time that a call waited in a queue, by when it joined: what service levels are folded from. Written by the database
-- itself, so that records of a controller of an earlier release have theirs.
create table queue_visits (
  call_id text collate "C" not null references cdrs on delete cascade,
  n integer not null,
  account text collate "C" not null,
  queue text collate "C" not null,
  joined_at bigint not null,
  visit jsonb not null,
  primary key (call_id, n)
);
create index queue_visits_joined on queue_visits (account, queue, joined_at, call_id, n);

insert into queue_visits (call_id, n, account, queue, joined_at, visit)
select call_id, n, account, visit ->> 'queue', (visit ->> 'joinedAt')::bigint, visit
from (select * from cdrs where jsonb_typeof(record -> 'queues') = 'array') as queued, jsonb_array_elements(record -> 'queues') with ordinality as visits (visit, n);

create function keep_queue_visits() returns trigger language plpgsql as $$
begin
  insert into queue_visits (call_id, n, account, queue, joined_at, visit)
  select new.call_id, n, new.account, visit ->> 'queue', (visit ->> 'joinedAt')::bigint, visit
  from jsonb_array_elements(new.record -> 'queues') with ordinality as visits (visit, n);
  return null;
end $$;
create trigger cdrs_queue_visits after insert on cdrs for each row
when (jsonb_typeof(new.record -> 'queues') = 'array' and new.record -> 'queues' <> '[]') execute function keep_queue_visits();
