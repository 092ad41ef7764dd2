#!/bin/sh
# Fills in the templates of freeswitch/ for the service of that name, whose volumes it gives to the user it runs as.
#
#   FREESWITCH_URL               freeswitch://:password@freeswitch:8021; the port and the password that the event socket gets
#   FREESWITCH_SIP_PORT          5080
#   FRONTDESK_BIND               the host's address SIP and RTP are published on
#   FRONTDESK_EXTERNAL_ADDRESS   what phones and carriers are told; FRONTDESK_BIND when that is one address
#   RTP_START, RTP_END           the published range
set -eu
external=${FRONTDESK_EXTERNAL_ADDRESS:-}
if [ -z "$external" ]; then
  case ${FRONTDESK_BIND:-127.0.0.1} in
    0.0.0.0 | ::) echo 'Set FRONTDESK_EXTERNAL_ADDRESS: from a container the host address that phones reach cannot be seen.' >&2; exit 1 ;;
    *) external=${FRONTDESK_BIND:-127.0.0.1} ;;
  esac
fi
mkdir -p /var/lib/frontdesk-freeswitch/db /var/lib/frontdesk-freeswitch/log /var/lib/frontdesk-freeswitch/sounds
# In a container the switch finds its own address; the controller is somewhere on the containers' networks.
exec env -u FRONTDESK_BIND -u FRONTDESK_EXTERNAL_ADDRESS node control-plane/cli/frontdesk.ts freeswitch /etc/frontdesk-freeswitch \
  --sip "auto:${FREESWITCH_SIP_PORT:-5080}" --external "$external" --rtp "$RTP_START-$RTP_END" \
  --listen 0.0.0.0 --from 127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16 \
  --recordings /var/spool/frontdesk-freeswitch --sounds /var/lib/frontdesk-freeswitch/sounds --log /var/lib/frontdesk-freeswitch/log
