#!/bin/sh
# Runs the agent for the user whose token is in the file $1. The agent is given a session, which is good in this pod only, and
# no token. The session ends with the agent.
set -eu
broker=${LUMOAUTH_URL:-http://127.0.0.1:9210}
ask() {
  curl --silent --show-error --fail-with-body --noproxy '*' --max-time 10 --header 'Lumo-Broker: true' "$@"
}
answer=$(ask "$broker/v1/sessions" --data-urlencode "subject_token@$1" \
  --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:access_token) || {
  printf 'no session: %s\n' "$answer" >&2
  exit 1
}
LUMO_SESSION=$(printf '%s' "$answer" | sed -n 's/.*"session":"\([^"]*\)".*/\1/p')
export LUMO_SESSION
trap 'printf "url = %s/v1/sessions/%s\n" "$broker" "$LUMO_SESSION" | ask --request DELETE --config -' EXIT
"$(dirname "$0")/agent.sh"
