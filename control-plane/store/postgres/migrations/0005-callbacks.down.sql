drop table callbacks;
