-- Webhooks are lost: the program of before has none.
delete from objects where kind = 'webhook';
update revision set revision = revision + 1;
drop table webhook_dead_letters;
drop table webhook_states;
