# The controller: decides every call. Build from the repository's root.
FROM docker.io/library/node:24.21.0-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# As scripts/setup.mjs does: the lock file's versions, though it lacks optional packages of other platforms, which
# `npm ci` refuses. Scripts are off: the only one is the package "node" fetching what the base image has.
RUN npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund

FROM docker.io/library/node:24.21.0-trixie-slim AS speech
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY control-plane control-plane
# The voice comes the way the local stack fetches it, signatures checked, so that it sounds the same everywhere.
RUN node --input-type=module -e "const { ensurePackages } = await import('/app/control-plane/local-stack/packages.ts'); \
      await ensurePackages('/opt/frontdesk-tools', ['flite'], console.error);" \
    && rm -rf /opt/frontdesk-tools/apt && chmod -R a+rX /opt/frontdesk-tools

FROM docker.io/library/node:24.21.0-trixie-slim
ARG APT_OPTIONS=
RUN apt-get ${APT_OPTIONS} update \
    && apt-get ${APT_OPTIONS} install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 frontdesk \
    && useradd --uid 10001 --gid frontdesk --home-dir /var/lib/frontdesk --shell /usr/sbin/nologin frontdesk \
    && install -d -o frontdesk -g frontdesk -m 0750 /var/lib/frontdesk /var/lib/frontdesk/speech /var/lib/frontdesk/audio /var/log/frontdesk-switch \
        /etc/frontdesk-freeswitch /var/lib/frontdesk-freeswitch /var/spool/frontdesk-freeswitch
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=speech /opt/frontdesk-tools /opt/frontdesk-tools
COPY package.json ./
COPY asterisk asterisk
COPY control-plane control-plane
COPY dialplans dialplans
COPY freeswitch freeswitch
COPY --chmod=0755 docker/freeswitch-configuration.sh /usr/local/bin/
ENV NODE_ENV=production FRONTDESK_DATA_DIR=/var/lib/frontdesk FRONTDESK_CACHE_DIR=/opt/frontdesk-tools
USER frontdesk
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.FRONTDESK_HTTP_PORT || 8088}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "control-plane/cli/frontdesk.ts"]
CMD ["start"]
