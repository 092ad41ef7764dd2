#!/bin/sh
# Fills in the templates of asterisk/ from the environment and becomes Asterisk. The values are those of
# control-plane/local-stack/render.ts; a template that asks for another one ends the start.
#
#   ARI_PASSWORD                 of the user "frontdesk"; required
#   FRONTDESK_SIP_PORT           5060; SIP over TLS has the next port
#   FRONTDESK_BIND               the host's address SIP and RTP are published on
#   FRONTDESK_EXTERNAL_ADDRESS   what phones and carriers are told; FRONTDESK_BIND when that is one address
#   RTP_START, RTP_END           16384, 16583: the published range
set -eu
templates=/usr/share/frontdesk/asterisk
run=/tmp/frontdesk-switch
state=/var/lib/frontdesk-switch
spool=/var/spool/frontdesk-switch
logins=/var/log/frontdesk-switch

refuse() { echo "$1" >&2; exit 1; }
# Nothing that could end a line, a sed expression or a configuration value.
checked() {
  case $2 in
    '' | *[!A-Za-z0-9._:/-]*) refuse "$1 must be letters, digits, and . _ : / - only." ;;
  esac
  printf '%s' "$2"
}

ari_password=$(checked ARI_PASSWORD "${ARI_PASSWORD:-}")
sip_port=$(checked FRONTDESK_SIP_PORT "${FRONTDESK_SIP_PORT:-5060}")
case $sip_port in *[!0-9]*) refuse 'FRONTDESK_SIP_PORT must be a port.' ;; esac
rtp_start=$(checked RTP_START "${RTP_START:-16384}")
rtp_end=$(checked RTP_END "${RTP_END:-16583}")

external=${FRONTDESK_EXTERNAL_ADDRESS:-}
if [ -z "$external" ]; then
  case ${FRONTDESK_BIND:-127.0.0.1} in
    0.0.0.0 | ::) refuse 'Set FRONTDESK_EXTERNAL_ADDRESS: from a container the host address that phones reach cannot be seen.' ;;
    *) external=${FRONTDESK_BIND:-127.0.0.1} ;;
  esac
fi
external=$(checked FRONTDESK_EXTERNAL_ADDRESS "$external")

# Only the container's own networks are inside the address translation: whoever else calls comes through the host.
dotted() { echo "$1" | sed -E 's/(..)(..)(..)(..)/0x\4 0x\3 0x\2 0x\1/' | { read -r a b c d; printf '%d.%d.%d.%d' "$a" "$b" "$c" "$d"; }; }
nat="external_signaling_address = $external\\nexternal_media_address = $external\\nlocal_net = 127.0.0.0/8"
while read -r _ network gateway _ _ _ _ mask _; do
  if [ "$gateway" = 00000000 ] && [ "$network" != 00000000 ]; then
    nat="$nat\\nlocal_net = $(dotted "$network")/$(dotted "$mask")"
  fi
done < /proc/net/route

umask 077
mkdir -p "$run/etc" "$run/log" "$state/keys" "$state/tls" "$spool/recording"
# Kept with the switch's memory: unique ids of two switches must never meet.
[ -s "$state/system-name" ] || printf 'fd%s' "$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')" > "$state/system-name"
# A certificate nobody has signed, until the clinic puts its own in its place.
keys=$state/tls
if [ ! -s "$keys/sip.crt" ] || [ ! -s "$keys/sip.key" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=Frontdesk \
    -addext subjectAltName=DNS:localhost -keyout "$keys/sip.key" -out "$keys/sip.crt" 2> /dev/null
fi
tls="[transport-tls]\\ntype = transport\\nprotocol = tls\\nbind = 0.0.0.0:$((sip_port + 1))"
tls="$tls\\ncert_file = $keys/sip.crt\\npriv_key_file = $keys/sip.key\\nca_list_file = /etc/ssl/certs/ca-certificates.crt"
tls="$tls\\nverify_server = yes\\nverify_client = no\\nmethod = tlsv1_2\\n$nat"

files=$(awk '/^Max open files/ { print $5 }' /proc/self/limits)
case $files in unlimited) files=65536 ;; esac
[ "$files" -le 65536 ] || files=65536

set -- /usr/lib/*/asterisk/modules
for template in "$templates"/*.conf; do
  target=$run/etc/${template##*/}
  sed \
    -e "s|@ETC_DIR@|$run/etc|g" -e "s|@STATE_DIR@|$state|g" -e "s|@SPOOL_DIR@|$spool|g" \
    -e "s|@RUN_DIR@|$run|g" -e "s|@LOG_DIR@|$run/log|g" -e "s|@SECURITY_LOG@|$logins/security.log|g" -e "s|@MODULE_DIR@|$1|g" \
    -e "s|@SHARE_DIR@|/usr/share/asterisk|g" -e "s|@MOH_DIR@|/usr/share/asterisk/moh|g" \
    -e "s|@SYSTEM_NAME@|$(cat "$state/system-name")|g" -e "s|@MAX_FILES@|$files|g" \
    -e "s|@HTTP_BIND@|0.0.0.0|g" -e "s|@HTTP_PORT@|8088|g" \
    -e "s|@ARI_USER@|frontdesk|g" -e "s|@ARI_PASSWORD@|$ari_password|g" \
    -e "s|@SIP_BIND@|0.0.0.0|g" -e "s|@SIP_PORT@|$sip_port|g" \
    -e "s|@RTP_START@|$rtp_start|g" -e "s|@RTP_END@|$rtp_end|g" \
    -e "s|@TRANSPORT_NAT@|$nat|g" -e "s|@TRANSPORT_TLS@|$tls|g" -e "s|@TRUNKS@||g" \
    "$template" > "$target"
  if unknown=$(grep -v '^;' "$target" | grep -Eo '@[A-Z_]+@'); then refuse "${template##*/} asks for $unknown, which this entrypoint does not know."; fi
done

# The log of the switch is the log of the container.
ln -sf /proc/self/fd/1 "$run/log/messages.log"
unset ARI_PASSWORD
exec asterisk -C "$run/etc/asterisk.conf" -f
