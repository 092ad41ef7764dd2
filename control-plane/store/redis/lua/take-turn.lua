-- take-turn: the next turn of a group of destinations is a call's.
--
-- KEYS[1]  fd:turns, a hash: the last turn of each group
-- KEYS[2]  fd:turn:<group>:<asker>, the turn that this call was given at this step
-- ARGV[1]  the group
-- ARGV[2]  the last turn that the asker knows of: a server that lost its memory counts on from there
-- ARGV[3]  how long a turn given is remembered, in ms
--
-- Returns the turn. Who asks again is given the same.
local given = redis.call('GET', KEYS[2])
if given then
  return tonumber(given)
end
local turn = math.max(tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0), tonumber(ARGV[2])) + 1
redis.call('HSET', KEYS[1], ARGV[1], turn)
redis.call('SET', KEYS[2], turn, 'PX', ARGV[3])
return turn
