-- What mod_sofia asks the directory for: so phones log in and trunks are known with every controller dead, also after a restart.
--   fd-phone/<login>: a1 (MD5 of login:frontdesk:password), number, name
--   fd-trunk/<id>: host, port, transport, username, password, register, ping (seconds), match (addresses and networks, with commas),
--   codecs (with commas), dtmf (rfc2833, info or none), srtp (true: no call without it), nat (false: what the carrier says of its address is so),
--   context (of its calls; from-trunk where absent)
local kept = require("kept")

local function xml(text)
  return (text or ""):gsub("[&<>\"'%c]", function(char) return string.format("&#%d;", char:byte()) end)
end

local function param(name, value)
  return value and value ~= "" and string.format('<param name="%s" value="%s"/>', name, xml(value)) or ""
end

local function variable(name, value)
  return string.format('<variable name="%s" value="%s"/>', name, xml(value))
end

local function user(login, a1, variables)
  return string.format('<user id="%s"><params>%s</params><variables>%s</variables></user>', xml(login),
    param("a1-hash", a1) .. param("allow-empty-password", "false"), variables)
end

local function phone(login, of)
  return user(login, of.a1, variable("user_context", "from-phone") .. variable("fd_phone", login)
    .. variable("effective_caller_id_number", of.number) .. variable("effective_caller_id_name", of.name))
end

-- What a call with a trunk is set up with, whoever calls.
local function audio(of, as)
  return (of.codecs and as("absolute_codec_string", of.codecs) or "") .. (of.dtmf and as("dtmf_type", of.dtmf) or "")
    .. as("rtp_secure_media", of.srtp == "true" and "mandatory" or "forbidden") .. (of.nat == "false" and as("disable_rtp_auto_adjust", "true") or "")
end

-- One who is known by the address. Nobody can log in as a trunk: what it would prove is another each time.
local function carrier(id, of)
  return user(id, freeswitch.API():execute("create_uuid", ""), variable("user_context", of.context or "from-trunk") .. variable("fd_trunk", id) .. audio(of, variable))
end

local function outbound(name, value)
  return string.format('<variable name="%s" value="%s" direction="outbound"/>', name, xml(value))
end

local function gateway(id, of)
  local transport = of.transport or "udp"
  return string.format('<user id="%s"><gateways><gateway name="%s">%s<variables>%s</variables></gateway></gateways></user>', xml(id), xml(id),
    param("username", of.username or id) .. param("password", of.password or "none") .. param("proxy", of.host .. ":" .. of.port)
    .. param("register", of.register or "false") .. param("register-transport", transport) .. param("contact-params", "transport=" .. transport)
    .. param("ping", of.ping) .. param("caller-id-in-from", "true") .. param("extension-in-contact", "true") .. param("context", of.context or "from-trunk"),
    outbound("sip_cid_type", "pid") .. audio(of, outbound))
end

local function networks(id, of)
  local users = {}
  for _, cidr in ipairs(kept.parts(of.match)) do users[#users + 1] = string.format('<user id="%s" cidr="%s"/>', xml(id), xml(cidr)) end
  return table.concat(users)
end

local purpose = params and params:getHeader("purpose")
local login = params and params:getHeader("user")
local users = {}
local function write(as)
  return function(key, of) users[#users + 1] = as(key, of) end
end
-- A password is about to be looked at: for an address that is banned there is none. Nor by a SUBSCRIBE or a MESSAGE, of which
-- mod_sofia tells nobody whether it was right. Of the caller's own headers only those that begin with X- are among the parameters here.
local function isRefused()
  local method = params:getHeader("sip_auth_method")
  return (method ~= "REGISTER" and method ~= "INVITE") or kept.isBanned(params:getHeader("ip"))
end
-- Who asks for a user may have any header of his SIP request among the parameters: the user's name goes before all else.
if login then
  if params:getHeader("action") ~= "sip_auth" or not isRefused() then
    kept.each("fd-phone", login, write(phone))
    if #users == 0 then kept.each("fd-trunk", login, write(carrier)) end
  end
elseif purpose == "gateways" then kept.each("fd-trunk", nil, write(gateway))
elseif purpose == "network-list" then kept.each("fd-trunk", nil, write(networks))
end
kept.close()

if login and #users == 0 then
  XML_STRING = '<document type="freeswitch/xml"><section name="result"><result status="not found"/></section></document>'
else
  XML_STRING = '<document type="freeswitch/xml"><section name="directory"><domain name="frontdesk">' .. table.concat(users) .. '</domain></section></document>'
end
