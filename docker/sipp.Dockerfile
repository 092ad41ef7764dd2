# SIPp, for the trial call of scripts/site-up.sh; no part of a site.
FROM docker.io/library/debian:forky-20260918-slim
ARG APT_OPTIONS=
RUN apt-get ${APT_OPTIONS} update \
    && apt-get ${APT_OPTIONS} install -y --no-install-recommends sip-tester \
    && rm -rf /var/lib/apt/lists/*
COPY control-plane/cli/demo/*.xml docker/options.xml /scenarios/
WORKDIR /tmp
USER nobody
CMD ["sleep", "infinity"]
