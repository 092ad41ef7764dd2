#!/bin/sh
# Writes .env with random credentials beside docker-compose.yml, or to the file named. Never overwrites one.
set -eu
file=${1:-$(dirname "$0")/../.env}
secret() { od -An "-N${1:-24}" -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
# noclobber: of two runs at once, one is refused.
set -C
if [ -e "$file" ] || ! cat > "$file" <<END
# Credentials of this site. Keep a copy with the backups; nobody else needs it.
ARI_PASSWORD=$(secret)
REDIS_PASSWORD=$(secret)
POSTGRES_PASSWORD=$(secret)
# Recordings are encrypted with it: without it they are lost.
FRONTDESK_MEDIA_KEY=$(secret 32)

# The address of this host that phones and carriers reach; 127.0.0.1 is this host alone.
FRONTDESK_BIND=127.0.0.1
FRONTDESK_SIP_PORT=5060
# The next one.
SIP_TLS_PORT=5061
# Needed when FRONTDESK_BIND is 0.0.0.0, or behind NAT.
FRONTDESK_EXTERNAL_ADDRESS=
# Addresses and networks that are not banned for guessing SIP passwords, with commas between.
FRONTDESK_NEVER_BAN=

# For --profile freeswitch (docs/switches.md): an image that has FreeSWITCH, and what the controller attaches to; the last line is it.
FREESWITCH_IMAGE=
FREESWITCH_SIP_PORT=5080
# Side by side with Asterisk also asterisk:5060 and freeswitch:5080, where each takes SIP.
FRONTDESK_ASTERISK_SIP=
FRONTDESK_FREESWITCH_SIP=
FREESWITCH_URL=
# FREESWITCH_URL=freeswitch://:$(secret)@freeswitch:8021

# Where the controller's HTTP is published: without TLS, so beyond this host only behind a proxy that has it.
HTTP_ADDRESS=127.0.0.1
HTTP_PORT=8088

# A folder of plan files, mounted at /etc/frontdesk, and which of them are used: /etc/frontdesk/my-clinic.yaml,...
PLANS_DIR=./dialplans
FRONTDESK_PLAN=
FRONTDESK_SMTP_URL=
FRONTDESK_MAIL_FROM=
FRONTDESK_LOG_LEVEL=

# For apt in builds, such as -o Acquire::Check-Valid-Until=false where a mirror lags.
APT_OPTIONS=
END
then
  echo "$file is there already and was left as it is." >&2
  exit 1
fi
echo "Wrote $file." >&2
