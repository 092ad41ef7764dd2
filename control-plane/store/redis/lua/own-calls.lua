-- own-calls: calls become a controller's own, where nobody who lives has them.
--
-- KEYS[1]  fd:leases    KEYS[2]  fd:tokens    KEYS[3]  fd:owners, a hash: the controller of each call    KEYS[4]  fd:since
-- KEYS[5]  fd:held
-- ARGV[1]  the controller
-- ARGV[2]  its token
-- ARGV[3]  how long after fd:since, and after its own lease began, calls of others are left alone, in ms: where this server
--          was away or has lost its memory, their owners may not have said yet that they live
-- ARGV[4]  'claim': calls follow, each with who is believed to have it, or an empty text;
--          'take': those of the lapsed controller ARGV[5], at most ARGV[6] of them;
--          'list': those that are its own
--
-- Returns the calls that are its own now, those of the claimed that are over, and 1 where that time is
-- over; nothing and -1 when its lease is not held. A lapsed controller that has no calls left is forgotten.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function lives(controller)
  local ends = redis.call('ZSCORE', KEYS[1], controller)
  return ends and tonumber(ends) >= now
end
local me = ARGV[1]
if redis.call('HGET', KEYS[2], me) ~= ARGV[2] or not lives(me) then
  return {{}, {}, -1}
end
local owned = {}
local over = {}
local since = math.max(tonumber(redis.call('GET', KEYS[4]) or now), tonumber(redis.call('HGET', KEYS[5], me) or now))
local settled = now - since >= tonumber(ARGV[3])
local function own(call)
  redis.call('HSET', KEYS[3], call, me)
  owned[#owned + 1] = call
end
if ARGV[4] == 'claim' then
  for i = 5, #ARGV, 2 do
    local owner = redis.call('HGET', KEYS[3], ARGV[i])
    if redis.call('EXISTS', 'fd:over:' .. ARGV[i]) == 1 then
      over[#over + 1] = ARGV[i]
      owner = 'over'
    end
    local believed = owner or ARGV[i + 1]
    if owner ~= 'over' and (believed == me or (settled and not lives(believed))) then
      own(ARGV[i])
    end
  end
  return {owned, over, settled and 1 or 0}
end
if ARGV[4] == 'list' then
  local all = redis.call('HGETALL', KEYS[3])
  for i = 1, #all, 2 do
    if all[i + 1] == me then
      owned[#owned + 1] = all[i]
    end
  end
  return {owned, over, settled and 1 or 0}
end
local from = ARGV[5]
if from == me or not settled or lives(from) then
  return {{}, {}, 0}
end
local all = redis.call('HGETALL', KEYS[3])
for i = 1, #all, 2 do
  if all[i + 1] == from then
    if #owned >= tonumber(ARGV[6]) then
      return {owned, over, settled and 1 or 0}
    end
    own(all[i])
  end
end
redis.call('ZREM', KEYS[1], from)
redis.call('HDEL', KEYS[2], from)
return {owned, over, settled and 1 or 0}
