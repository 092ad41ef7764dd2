-- append-events: adds events to the streams of their accounts, each at most once.
--
-- KEYS[1]  fd:events:sent:<publisher>, the number of the last event of this publisher that was added
-- KEYS[2…] fd:events:<account>, the stream of each event
-- ARGV[1]  about how many events a stream keeps
-- ARGV[2]  how long an event is kept at most, in ms
-- ARGV[3…] for each event its number, which grows, and its text
--
-- A batch that is sent again after its reply was lost adds what is not there yet. The first entry of a stream says that
-- nothing is known of before: it is seen by who goes on after an event of a stream that was lost.
local sent = tonumber(redis.call('GET', KEYS[1]) or 0)
local time = redis.call('TIME')
local oldest = math.max(0, tonumber(time[1]) * 1000 - tonumber(ARGV[2]))
for i = 2, #KEYS do
  local n = tonumber(ARGV[2 * i - 1])
  if n > sent then
    if redis.call('EXISTS', KEYS[i]) == 0 then
      redis.call('XADD', KEYS[i], '*', 'b', '1')
    end
    redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[1], '*', 'e', ARGV[2 * i])
    redis.call('XTRIM', KEYS[i], 'MINID', '~', string.format('%.0f', oldest))
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
    sent = n
  end
end
redis.call('SET', KEYS[1], string.format('%.0f', sent), 'PX', ARGV[2])
return redis.status_reply('OK')
