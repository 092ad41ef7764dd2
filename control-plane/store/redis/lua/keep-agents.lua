-- keep-agents: a desk keeps what has changed of its agents, the offers that they are reserved for among it.
--
-- KEYS[1]  fd:desks:epoch, of the desks that began last
-- KEYS[2]  fd:desks:agents:<account>, a hash: the record of each agent, as a text
-- ARGV[1]  the desk's epoch
-- ARGV[2]  how long records are kept after the last of all, in ms
-- ARGV[3…] agents, each with its record
--
-- Returns 1; 0 where desks of a later epoch have begun, and then nothing is written and nobody reserved: they may have
-- offered the same agents already.
if tonumber(redis.call('GET', KEYS[1]) or 0) > tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
