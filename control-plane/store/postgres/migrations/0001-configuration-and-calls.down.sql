drop table cdr_spools;
drop table cdrs;
drop table idempotency;
drop table audit;
drop table api_keys;
drop table changes;
drop table revision;
drop table objects;
