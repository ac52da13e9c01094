# The image of all programs: dynamo-node (the entry point), dynamo-operator and dynamoctl.
#
#   docker build --tag dynamo:0.1.0 .
#
# It runs as user 65532, needs no capability and no writable root file system: only the
# data folder, /var/lib/dynamo, is written to. The storage and transport contract tests
# run in the build, because Debian 13's RocksDB is another than Debian 12's.
FROM debian:trixie-slim AS build
ARG PRESET=gcc
ARG JOBS=2
WORKDIR /dynamo
COPY packages ./
RUN ./packages install build test && apt-get install --yes --no-install-recommends g++-14 >/dev/null
COPY . .
ENV CCACHE_DIR=/ccache
RUN --mount=type=cache,id=dynamo-ccache,target=/ccache \
    cmake --preset ${PRESET} -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=10 && \
    cmake --build build/${PRESET} --parallel ${JOBS} --target programs contract_test && \
    build/${PRESET}/tests/contract/contract_test --gtest_brief=1
RUN image/runtime_root /image build/${PRESET}/bin/dynamo-node build/${PRESET}/bin/dynamoctl \
      $(ls build/${PRESET}/bin/dynamo-operator 2>/dev/null)

FROM scratch
LABEL org.opencontainers.image.title="dynamo" \
      org.opencontainers.image.description="Amazon's Dynamo as a Kubernetes-native service: node, operator and command line" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
USER 65532:65532
WORKDIR /var/lib/dynamo
# Clients: HTTP, Protocol Buffers; other nodes; administration, health and metrics.
EXPOSE 8098 8087 8099 8091
ENTRYPOINT ["/usr/local/bin/dynamo-node"]
