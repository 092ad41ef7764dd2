# The switch: Asterisk 22 with the configuration of asterisk/. Build from the repository's root.
FROM docker.io/library/debian:forky-20260918-slim
ARG APT_OPTIONS=
RUN apt-get ${APT_OPTIONS} update \
    && DEBIAN_FRONTEND=noninteractive apt-get ${APT_OPTIONS} install -y --no-install-recommends \
        'asterisk=1:22.*' asterisk-core-sounds-en-gsm asterisk-moh-opsound-gsm ca-certificates openssl \
    && rm -rf /var/lib/apt/lists/* /var/lib/asterisk/* /var/spool/asterisk/* /var/log/asterisk/* \
    && groupadd --gid 10001 frontdesk \
    && useradd --uid 10001 --gid frontdesk --home-dir /nonexistent --shell /usr/sbin/nologin frontdesk \
    && install -d -o frontdesk -g frontdesk -m 0750 /var/lib/frontdesk-switch /var/spool/frontdesk-switch /var/log/frontdesk-switch \
        /var/lib/frontdesk /var/lib/frontdesk/speech /var/lib/frontdesk/audio
COPY asterisk/*.conf /usr/share/frontdesk/asterisk/
COPY --chmod=0755 docker/asterisk-entrypoint.sh docker/asterisk-healthy.sh /usr/local/bin/
USER frontdesk
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["asterisk-healthy.sh"]
ENTRYPOINT ["asterisk-entrypoint.sh"]
