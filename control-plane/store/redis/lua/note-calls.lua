-- note-calls: what a controller has begun and ended since it last said so.
--
-- KEYS[1]  fd:tokens    KEYS[2]  fd:owners
-- ARGV[1]  the controller
-- ARGV[2]  its token
-- ARGV[3]  how long a call that is over is remembered, in ms
-- ARGV[4]  how many calls have begun    ARGV[5]  how many are over
-- ARGV[6…] calls that have begun, those that are over, and then those given back
--
-- Returns 1; 0 when the lease is not this one's, and then nothing is noted. Of a call that another has, neither end nor
-- giving back is noted.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
local begun = tonumber(ARGV[4])
local over = begun + tonumber(ARGV[5])
for i = 6, #ARGV do
  if i - 5 <= begun then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[1])
  else
    local owner = redis.call('HGET', KEYS[2], ARGV[i])
    if not owner or owner == ARGV[1] then
      redis.call('HDEL', KEYS[2], ARGV[i])
      if i - 5 <= over then
        redis.call('SET', 'fd:over:' .. ARGV[i], ARGV[1], 'PX', ARGV[3])
      end
    end
  end
end
return 1
