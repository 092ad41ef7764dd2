#!/bin/sh
# Healthy: Asterisk has loaded everything it must, and answers on its console.
set -eu
asterisk -C /tmp/frontdesk-switch/etc/asterisk.conf -rx 'core waitfullybooted' | grep -q 'fully booted'
