# syntax=docker/dockerfile:1
# An Airbyte source: a static executable, a shell and the CA roots.
# The platform starts it with `sh -c 'eval "$AIRBYTE_ENTRYPOINT read ..."'` and a loop of `sleep` and `kill`, which need busybox.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --tag tap-microsoft-teams:0.1.0 .
#
# BUILD_IMAGE may be any Rust image with a C compiler, CA roots and `sh`; BASE_IMAGE any image with a shell.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-alpine
ARG BASE_IMAGE=docker.io/library/busybox:1.37-musl

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY . .
# With an explicit target, RUSTFLAGS apply only to the executable and not to procedural macros.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    target=$(rustc -vV | sed -n 's/^host: //p') \
    && RUSTFLAGS="-C target-feature=+crt-static" \
       cargo build --locked --profile dist --package tap-microsoft-teams --target "$target" \
    && mkdir -p /image/usr/local/bin /image/etc/ssl/certs /home/airbyte \
    && cp "target/$target/dist/tap-microsoft-teams" /image/usr/local/bin/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'airbyte:x:1000:1000:Airbyte:/airbyte:/bin/sh' > /image/etc/passwd \
    && printf '%s\n' 'root:x:0:' 'airbyte:x:1000:' > /image/etc/group

FROM ${BASE_IMAGE}
COPY --from=build /image/ /
COPY --from=build --chown=1000:1000 /home/airbyte/ /airbyte/
USER 1000:1000
WORKDIR /airbyte
ENV AIRBYTE_ENTRYPOINT="/usr/local/bin/tap-microsoft-teams"
ENTRYPOINT ["/usr/local/bin/tap-microsoft-teams"]
LABEL io.airbyte.name="tap-microsoft-teams" \
      io.airbyte.version="0.1.0" \
      org.opencontainers.image.title="tap-microsoft-teams" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/tap-microsoft-teams/tap-microsoft-teams"
