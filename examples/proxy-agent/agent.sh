#!/bin/sh
# An agent that reads documents and never holds a token: the proxy beside it adds one on the way. Where it works for a user,
# LUMO_SESSION says so.
set -eu
proxy=${PROXY_URL:-http://127.0.0.1:9181}
get() {
  curl --silent --show-error --fail-with-body --noproxy '*' --max-time 10 --max-filesize 1048576 \
    --header 'Lumo-Broker: true' "$@"
}
if [ -z "${LUMO_SESSION:-}" ]; then
  get "$proxy/docs/documents"
else
  # By standard input: arguments can be seen by every process of the machine.
  printf 'Lumo-Session: %s\n' "$LUMO_SESSION" | get --header @- "$proxy/docs-for-user/documents"
fi
