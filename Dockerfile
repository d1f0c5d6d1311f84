# syntax=docker/dockerfile:1
# An Airbyte source: one static executable, a shell and the CA roots.
# The platform starts it through `sh -c 'eval "$AIRBYTE_ENTRYPOINT read ..."'`, beside a loop of `sleep` and `kill`: hence busybox.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --tag tap-microsoft-teams:0.1.0 .
#
# Any Rust image with a C compiler, the roots and `sh` builds it, and any base with a shell carries it.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-alpine
ARG BASE_IMAGE=docker.io/library/busybox:1.37-musl

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY . .
# The target is named although it is this machine's: so RUSTFLAGS concern the executable, not the macros that the compiler loads.
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
