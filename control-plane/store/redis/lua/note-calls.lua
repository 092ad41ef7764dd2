-- note-calls: what a controller has begun and ended since it last said so.
--
-- KEYS[1]  fd:tokens    KEYS[2]  fd:owners    KEYS[3]  fd:leases
-- ARGV[1]  the controller
-- ARGV[2]  its token
-- ARGV[3]  how long a call that is over is remembered, in ms
-- ARGV[4]  how many calls have begun    ARGV[5]  how many are over    ARGV[6]  how many are given back
-- ARGV[7…] calls that have begun, those that are over, those given back, and then those whose beginning could not be noted
--          when it was new
--
-- Returns 1; 0 when the lease is not held by this one, and then nothing is noted. Of a call that another has, neither end nor
-- giving back is noted; nor a beginning that is told late, where that other lives: it has taken the call since.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function lives(controller)
  local ends = redis.call('ZSCORE', KEYS[3], controller)
  return ends and tonumber(ends) >= now
end
local me = ARGV[1]
if redis.call('HGET', KEYS[1], me) ~= ARGV[2] or not lives(me) then
  return 0
end
local begun = tonumber(ARGV[4])
local over = begun + tonumber(ARGV[5])
local back = over + tonumber(ARGV[6])
for i = 7, #ARGV do
  local call = ARGV[i]
  local nth = i - 6
  local owner = redis.call('HGET', KEYS[2], call)
  if nth <= begun then
    redis.call('HSET', KEYS[2], call, me)
  elseif nth > back then
    if not owner or not lives(owner) then
      redis.call('HSET', KEYS[2], call, me)
    end
  elseif not owner or owner == me then
    redis.call('HDEL', KEYS[2], call)
    if nth <= over then
      redis.call('SET', 'fd:over:' .. call, me, 'PX', ARGV[3])
    end
  end
end
return 1
