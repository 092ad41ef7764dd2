-- What a REFER with Replaces dials: a call to the dialplan (fd-replaces), where a controller says what becomes of it. Answered it is
-- the yes that the phone is told, ended before that the no. It ends before the switch connects it with anybody.
local function hex(text)
  return ((text or ""):gsub(".", function(char) return string.format("%02x", char:byte()) end))
end

local asking = params:getHeader("refer-from-channel-id")
-- The switch writes what follows the address in Refer-To before the place that it dials, as it is: a brace or a comma there would
-- name another place, or an application. Whoever sends one is hung up, and then nothing is dialled.
local sent = (params:getHeader("refer-to-params") or "") .. (params:getHeader("refer-to-headers") or "")
local plain = sent:gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
if sent:find("[^%w%%.;=&@+*!~_:/?-]") or sent:find(":_:", 1, true) or plain:find("[%c${}]") then
  freeswitch.consoleLog("warning", "A REFER from " .. asking .. " tries to have something dialled: it is hung up.\n")
  freeswitch.API():execute("uuid_kill", asking .. " CALL_REJECTED")
end

local asked = hex(asking) .. "." .. hex(params:getHeader("replaces-call-id")) .. "." .. hex(params:getHeader("refer-to-user"))
local place = "[fd_asked=" .. asked .. ",loopback_export=fd_asked,execute_on_post_originate=hangup]loopback/asked/fd-replaces/XML"
XML_STRING = '<document type="freeswitch/xml"><section name="channels"><params><param name="dial-prefix" value=""/><param name="absolute-dial-string" value="'
  .. place .. '"/></params></section></document>'
