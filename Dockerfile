# Builds with any Docker; nothing here needs BuildKit.
#   docker build -t lumo-broker .

FROM node:26.10.0-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Without install scripts: the build runs on this image's own Node, and esbuild's binary comes as a package.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN node scripts/build.ts

# The final file system: the node binary without symbols, the libraries that it loads, the program.
RUN strip --strip-all /usr/local/bin/node \
 && mkdir -p /image/usr/local/bin /image/etc /image/opt /opt/lumo-broker/compile-cache \
 && cp /usr/local/bin/node /image/usr/local/bin/ \
 && ldd /usr/local/bin/node | grep -o '/[^ ]*' | xargs -I{} cp --parents -L {} /image/ \
 && echo 'hosts: files dns' > /image/etc/nsswitch.conf \
 && echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' > /image/etc/passwd \
 && cp -r dist/. /opt/lumo-broker/ \
 # There is no env and no shell in the image: the kernel starts node, with the flag that every run has.
 && sed -i '1s|^#!.*|#!/usr/local/bin/node --max-semi-space-size=1|' /opt/lumo-broker/main.js \
 && ln -s /opt/lumo-broker/main.js /usr/local/bin/lumo-broker \
 && cp -P /usr/local/bin/lumo-broker /image/usr/local/bin/ \
 && chown -R 65532:65532 /opt/lumo-broker/compile-cache

# The compile cache is bound to version, user, flags and path, so it is made as it will be read: one real run of every role,
# and of the commands for which a container is entered. The ports lie below 32768, where no outgoing connection of the
# machine takes them: a build with the host's network shares them with it.
USER 65532:65532
ENV NODE_COMPILE_CACHE=/opt/lumo-broker/compile-cache MALLOC_ARENA_MAX=1
RUN sh -c 'lumo-broker dev --state /tmp/warm --first-port 19170 > /tmp/warm.log & \
      pid=$!; \
      for i in $(seq 300); do grep -q "is ready" /tmp/warm.log && break; sleep 0.1; done; \
      export LUMO_CONFIG=/tmp/warm/config.json; \
      lumo-broker wait && lumo-broker token > /dev/null && lumo-broker doctor > /dev/null || exit 1; \
      kill -TERM $pid; wait $pid' \
 && lumo-broker help > /dev/null
USER 0:0
RUN cp -a /opt/lumo-broker /image/opt/ && chown -R 0:0 /image/opt && chmod -R a+rX /image/opt

FROM scratch
LABEL org.opencontainers.image.title="lumo-broker" \
      org.opencontainers.image.description="LumoAuth access tokens for Kubernetes pods and the agents in them, without a secret in the pod" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/ /
ENV PATH=/usr/local/bin NODE_COMPILE_CACHE=/opt/lumo-broker/compile-cache MALLOC_ARENA_MAX=1
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/lumo-broker"]
CMD ["help"]
