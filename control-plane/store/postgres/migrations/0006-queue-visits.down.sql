drop trigger cdrs_queue_visits on cdrs;
drop function keep_queue_visits();
drop table queue_visits;
