-- A phone calls for help. No controller is asked, and no prefix is needed.
--   fd-emergency/<phone>, fd-emergency/default: callerid, location, trunks (with commas); each what the default has where absent
--   fd-trunks/list: trunks, fd-trunk/<id>: host, port, transport, srtp
--   fd-emergency-log/<call>, written here: at, phone, dialled, outcome, trunk
local kept = require("kept")

local call = session:getVariable("uuid")
local dialled = session:getVariable("fd_dialled")
local phone = session:getVariable("fd_phone") or ""
local own = kept.get("fd-emergency", phone) or {}
local default = kept.get("fd-emergency", "default") or {}
local trunks = kept.parts(own.trunks or default.trunks or (kept.get("fd-trunks", "list") or {}).trunks)
local places = {}
for _, trunk in ipairs(trunks) do places[trunk] = kept.get("fd-trunk", trunk) end
kept.close()

local at = os.time()
local function note(outcome, trunk)
  kept.put("fd-emergency-log", call, { at = at, phone = phone, dialled = dialled, outcome = outcome, trunk = trunk })
end
note("STARTED", "")

local number = own.callerid or default.callerid
if number and number ~= "" then
  session:setVariable("effective_caller_id_number", number)
  session:setVariable("effective_caller_id_name", number)
end
-- A withheld number would leave the dispatcher without a call-back.
session:setVariable("origination_privacy", "")
session:execute("export", "sip_cid_type=pid")
-- RFC 6442: a location given as a URI goes out by reference; an address in words in a header of its own.
local location = own.location or default.location or ""
if location:match("^%a+:") then
  session:execute("export", "nolocal:sip_h_Geolocation=<" .. location .. ">")
  session:execute("export", "nolocal:sip_h_Geolocation-Routing=yes")
elseif location ~= "" then
  session:execute("export", "nolocal:sip_h_X-Dispatchable-Location=" .. location)
end
-- Nobody is led away from the dispatcher.
session:execute("export", "force_transfer_context=fd-nowhere")
session:setVariable("hangup_after_bridge", "true")
session:setVariable("continue_on_fail", "true")

local outcome, used = "NOTRUNK", ""
local function try(trunk, place)
  if outcome == "SUCCESS" or not session:ready() then return end
  session:execute("bridge", place)
  outcome, used = session:getVariable("originate_disposition") or "FAILED", trunk
end
-- Whatever the reason, busy included, the next trunk is tried while the caller waits; last those by their address that are passed
-- over by their name, since they leave OPTIONS unanswered.
for _, trunk in ipairs(trunks) do try(trunk, "sofia/gateway/" .. trunk .. "/" .. dialled) end
for _, trunk in ipairs(trunks) do
  local place = places[trunk]
  local secure = place and place.srtp == "true" and "{rtp_secure_media=mandatory}" or ""
  if place then try(trunk, secure .. "sofia/frontdesk/" .. dialled .. "@" .. place.host .. ":" .. place.port .. ";transport=" .. (place.transport or "udp")) end
end
note(outcome, used)
if session:ready() and outcome ~= "SUCCESS" then
  session:execute("playback", "tone_stream://%(250,250,480,620);loops=20")
  session:hangup("NORMAL_CIRCUIT_CONGESTION")
end
