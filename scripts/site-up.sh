#!/bin/sh
# Tries a whole site in containers: builds the images, brings the site up under a name and with credentials of its
# own, waits until it is healthy, places one call through it, checks its CDR, and removes what it made (the images
# stay). The last line says how it went; exit code 0 when the call was answered and recorded.
#
#   ENGINE=docker|podman   which engine; the one found otherwise
#   BUILD_OPTIONS          for every build, such as --network=host
#   APT_OPTIONS            for apt inside builds
#   SKIP_BUILD=1           with the images there are
#   TRIAL_SIP_PORT         published on 127.0.0.1 while it runs, with the next (15060); HTTP on the one after
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
version=0.1.0
project=frontdesk-trial
work=$(mktemp -d)
up=no

say() { echo "$*" >&2; }
compose() { (cd "$work" && $compose_command -p "$project" -f docker-compose.yml -f trial.yml "$@" > "$work/compose.log" 2>&1); }

# Old podman-compose leaves the networks.
remove() {
  compose down -v
  for network in $("$engine" network ls -q --filter "label=com.docker.compose.project=$project"); do "$engine" network rm "$network" > /dev/null; done
}

# shellcheck disable=SC2329  # by the trap
finish() {
  code=$?
  trap - EXIT
  trap '' INT TERM
  if [ "$up" = yes ]; then
    if [ "$code" -ne 0 ]; then
      for service in controller asterisk redis postgres; do
        say "--- $service"
        "$engine" logs --tail 20 "$(container "$service")" >&2 || true
      done
    fi
    remove || say "Not everything could be removed: $engine ps -a --filter name=$project"
  fi
  rm -rf "$work"
  if [ "$code" -ne 0 ]; then result="Site: FAILED ($step)"; fi
  echo "$result"
  exit "$code"
}

# Docker's names have hyphens, podman-compose's underscores.
container() { "$engine" ps -aq --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" | head -n 1; }

# Podman without systemd runs health checks only when asked.
healthy() {
  id=$(container "$1")
  [ -n "$id" ] || return 1
  if [ "$engine" = podman ]; then
    podman healthcheck run "$id" > /dev/null 2>&1
  else
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$id")" = healthy ]
  fi
}

# until_true SECONDS COMMAND ...
until_true() {
  left=$1
  shift
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 1
  done
}

inside() {
  service=$1
  shift
  "$engine" exec "$(container "$service")" "$@"
}

result=
step='no container engine: install Docker, or podman and podman-compose'
trap finish EXIT
trap 'step="interrupted: $step"; exit 130' INT TERM
engine=${ENGINE:-}
if [ -z "$engine" ]; then
  if docker info > /dev/null 2>&1; then engine=docker; elif command -v podman > /dev/null; then engine=podman; else exit 1; fi
fi
if [ "$engine" = docker ]; then
  compose_command='docker compose'
elif podman compose version > /dev/null 2>&1; then
  compose_command='podman compose'
else
  compose_command=podman-compose
fi

if [ -z "${SKIP_BUILD:-}" ]; then
  # HEALTHCHECK is of Docker's image format; podman's own default has none.
  format=
  [ "$engine" = docker ] || format=--format=docker
  for part in controller asterisk sipp; do
    step="building $part"
    say "Building $part"
    # shellcheck disable=SC2086  # options are words
    "$engine" build $format ${BUILD_OPTIONS:-} --build-arg "APT_OPTIONS=${APT_OPTIONS:-}" -f "$root/docker/$part.Dockerfile" \
      -t "localhost/frontdesk-$part:$version" "$root" > "$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; exit 1; }
  done
fi

step='bringing the site up'
"$root/docker/make-env.sh" "$work/.env" 2> /dev/null
mkdir "$work/plans"
# The demo clinic, with the carrier in a container of its own.
sed 's/^    host: 127\.0\.0\.2$/    host: carrier/' "$root/dialplans/riverside-dental.yaml" > "$work/plans/riverside-dental.yaml"
chmod 755 "$work" "$work/plans"
sip_port=${TRIAL_SIP_PORT:-15060}
sed -i -e 's|^PLANS_DIR=.*|PLANS_DIR=./plans|' -e 's|^FRONTDESK_PLAN=.*|FRONTDESK_PLAN=/etc/frontdesk/riverside-dental.yaml|' \
  -e "s|^FRONTDESK_SIP_PORT=.*|FRONTDESK_SIP_PORT=$sip_port|" \
  -e "s|^SIP_TLS_PORT=.*|SIP_TLS_PORT=$((sip_port + 1))|" -e "s|^HTTP_PORT=.*|HTTP_PORT=$((sip_port + 2))|" "$work/.env"
cp "$root/docker-compose.yml" "$root/docker/trial.yml" "$work/"
# What an interrupted trial left.
remove || true
up=yes
say 'Starting postgres, redis, asterisk and a carrier'
compose up -d postgres redis asterisk carrier || { tail -n 20 "$work/compose.log" >&2; exit 1; }
for service in postgres redis asterisk; do
  step="waiting for $service to be healthy"
  until_true 60 healthy "$service"
done
# On its own: not every compose waits for the condition of depends_on.
say 'Starting the controller'
step='starting the controller'
compose up -d controller || { tail -n 20 "$work/compose.log" >&2; exit 1; }
step='waiting for the controller to be ready'
until_true 90 healthy controller

step='asking the published SIP port from the host'
"$engine" run --rm --network=host "localhost/frontdesk-sipp:$version" \
  sipp "127.0.0.1:$sip_port" -sf /scenarios/options.xml -i 127.0.0.1 -m 1 -nostdin -timeout 10s > /dev/null 2>&1

step='asking for readiness over HTTP from the host'
"$engine" run --rm --network=host --entrypoint node "localhost/frontdesk-controller:$version" \
  -e "fetch('http://127.0.0.1:$((sip_port + 2))/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))" > /dev/null 2>&1

step='placing a call'
say 'Placing a call'
address=$(inside carrier hostname -i | awk '{ print $1 }')
switch=$(inside carrier getent ahostsv4 asterisk | awk 'NR == 1 { print $1 }')
inside carrier sipp "$switch:$sip_port" -sf /scenarios/mobile.xml -i "$address" -p 5090 -s mobile -m 1 -nostdin -timeout 60s > /dev/null 2>&1 &
mobile=$!
printf 'SEQUENTIAL\n+12025550187;+12025550110;Ada Reyes;\n' | "$engine" exec -i "$(container carrier)" sh -c 'cat > /tmp/caller.csv'
inside carrier sipp "$switch:$sip_port" -sf /scenarios/caller.xml -inf /tmp/caller.csv -i "$address" -p 5091 -m 1 -nostdin -timeout 60s > /dev/null 2>&1
step='the mobile that should have answered'
wait "$mobile"

step='checking the CDR'
answered() { inside controller sh -c 'cat /var/lib/frontdesk/cdrs/* 2> /dev/null' | grep -q '"disposition":"answered"'; }
until_true 20 answered
result='Site: OK, healthy, and one call answered and recorded'
