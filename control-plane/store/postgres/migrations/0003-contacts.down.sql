-- Tags and fields are lost: the program of before has none.
insert into objects (account, kind, id, version, created_at, updated_at, body)
select account, 'contact', ltrim(number, '+'), version, created_at, updated_at, (body - 'tags' - 'fields') || jsonb_build_object('number', number)
from contacts where body is not null;
update revision set revision = revision + 1;
drop table contact_drafts;
drop table contact_revision;
drop table contacts;
