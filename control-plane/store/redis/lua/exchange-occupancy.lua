-- exchange-occupancy: a controller tells whom its calls keep, and hears whom those of others do.
--
-- KEYS[1]  fd:occupied, a hash: for each controller, until when what it told counts, in ms of this server's clock
-- KEYS[2]  fd:ends, a hash: when a call of each party ended last, in ms of this server's clock
-- KEYS[3]  fd:occupied:<controller>, what it told
-- ARGV[1]  the controller
-- ARGV[2]  how long what it tells counts, in ms
-- ARGV[3]  whom its calls keep, as a text
-- ARGV[4]  how long an end is remembered after the last of all, in ms
-- ARGV[5]  how many parties have had a call that ended since it last told
-- ARGV[6…] those, each with how long ago that was, in ms; and then parties that are asked about
--
-- Returns {{text, …}, {ms, …}}: what each other controller told, where that still counts; and for each party asked about
-- when a call of it ended last, 0 when that is not known. Clocks of controllers play no part.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], now + ARGV[2])
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[2])
local ended = tonumber(ARGV[5])
local asked = 6 + 2 * ended
for i = 6, asked - 1, 2 do
  local at = now - tonumber(ARGV[i + 1])
  if at > tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or 0) then
    redis.call('HSET', KEYS[2], ARGV[i], at)
  end
end
if ended > 0 then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
local others = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) < now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then
    local text = redis.call('GET', 'fd:occupied:' .. all[i])
    if text then
      others[#others + 1] = text
    end
  end
end
local ends = {}
for i = asked, #ARGV do
  ends[#ends + 1] = tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or 0)
end
return {others, ends}
