# syntax=docker/dockerfile:1
# An Airbyte source: the platform starts it through `sh -c 'eval "$AIRBYTE_ENTRYPOINT read ..."'`, so there must be a shell.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --locked --profile dist --package tap-microsoft-teams

FROM debian:bookworm-slim
RUN useradd --uid 1000 --create-home --home-dir /airbyte airbyte
COPY --from=build /build/target/dist/tap-microsoft-teams /usr/local/bin/tap-microsoft-teams
USER 1000
WORKDIR /airbyte
ENV AIRBYTE_ENTRYPOINT="/usr/local/bin/tap-microsoft-teams"
ENTRYPOINT ["/usr/local/bin/tap-microsoft-teams"]
LABEL io.airbyte.name="tap-microsoft-teams" io.airbyte.version="0.1.0"
