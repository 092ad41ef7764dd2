-- An extension is its account's own; phones of different accounts have different names on the switch.
drop index objects_device_extension;
create unique index objects_device_extension on objects (account, (body ->> 'extension')) where kind = 'device' and body ? 'extension';
