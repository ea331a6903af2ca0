# One stage builds a virtual environment, the other only runs it: no sources, no caches, no root.
#
#   docker build -t ftpweir .
#   docker run --network host -v ./ftpweir.yaml:/etc/ftpweir/ftpweir.yaml:ro \
#              -v weir:/var/lib/ftpweir ftpweir
#
# Host networking is the plain way: the budget counts connections of one address, and passive FTP
# needs a thousand ports. With -p instead, publish 2121 and the whole of passive.ports, unchanged,
# and set passive.address to the address that clients see. `listen: 0.0.0.0:2121` in both cases.
# tests/integration/test_dockerfile.py carries out each step below without a container engine.

FROM python:3.11-slim-bookworm AS builder
RUN python3 -m venv /opt/ftpweir
WORKDIR /src
COPY pyproject.toml README.md constraints.txt ./
COPY proxy/ proxy/
RUN /opt/ftpweir/bin/pip install --constraint constraints.txt .
# What the image is made of, for scanners.
RUN mkdir /opt/doc && /opt/ftpweir/bin/ftpweir sbom > /opt/doc/sbom.json

# The same base again: the environment's python is a link into it.
FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="ftpweir" \
      org.opencontainers.image.description="A traffic-shaping FTP proxy"
# FTPWEIR_CONTROL is where `ftpweir healthcheck` looks: set it when `listen` has another port.
ENV PATH=/opt/ftpweir/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FTPWEIR_CONTROL=127.0.0.1:2121
# Numbers rather than names, so that Kubernetes can check runAsNonRoot.
RUN groupadd --gid 10001 ftpweir \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ftpweir \
            --shell /usr/sbin/nologin ftpweir \
 && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/ftpweir
COPY --from=builder /opt/ftpweir /opt/ftpweir
COPY --from=builder /opt/doc/ /usr/share/doc/ftpweir/
# `state: ./ftpweir.state` lands here; the rest of the file system may be read-only.
WORKDIR /var/lib/ftpweir
VOLUME /var/lib/ftpweir
USER 10001:10001
# The control port, and the default of passive.ports. In active mode the server connects to
# upstream.ports as well (51000-60999).
EXPOSE 2121 50000-50999
# SIGTERM drains: give `docker stop --time` more than timeouts.drain (60 s).
STOPSIGNAL SIGTERM
# A greeting and a goodbye say more than an open port.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
    CMD ["ftpweir", "healthcheck"]
ENTRYPOINT ["ftpweir"]
CMD ["run", "-c", "/etc/ftpweir/ftpweir.yaml"]
