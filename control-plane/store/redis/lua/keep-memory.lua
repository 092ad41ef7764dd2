-- keep-memory: a desk keeps what it remembers of those who are not there.
--
-- KEYS[1]  fd:desks:epoch, of the desks that began last
-- KEYS[2]  fd:desks:memory:<account>, a hash: texts by name
-- ARGV[1]  the desk's epoch
-- ARGV[2]  how long all of it is kept after the last of it, in ms
-- ARGV[3]  how many names are forgotten
-- ARGV[4…] those names, and then names each with its text
--
-- Returns 1; 0 where desks of a later epoch have begun, and then nothing is written.
if tonumber(redis.call('GET', KEYS[1]) or 0) > tonumber(ARGV[1]) then
  return 0
end
local texts = 4 + tonumber(ARGV[3])
for i = 4, texts - 1 do
  redis.call('HDEL', KEYS[2], ARGV[i])
end
for i = texts, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
