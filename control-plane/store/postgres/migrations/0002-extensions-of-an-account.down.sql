-- Fails while two accounts have the same extension: change one first.
drop index objects_device_extension;
create unique index objects_device_extension on objects ((body ->> 'extension')) where kind = 'device' and body ? 'extension';
