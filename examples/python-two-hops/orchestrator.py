"""An agent that acts for a user through a second agent. It reads the user's token from standard input."""

import json
import os
import sys

import broker
import web

SPECIALIST_URL = os.environ.get("SPECIALIST_URL", "http://127.0.0.1:9185")
LONGEST_TOKEN = 16_384


def main():
    user_token = sys.stdin.read(LONGEST_TOKEN).strip()
    session = broker.begin_session(user_token)
    try:
        token = broker.token_within(session, "specialist", "read:documents", tell)
        headers = {"Authorization": "Bearer " + token}
        status, _, answer = web.ask("GET", SPECIALIST_URL + "/summary", headers)
    finally:
        broker.end_session(session)
    print(json.dumps(answer))
    return 0 if status == 200 else 1


def tell(pending):
    """The user is elsewhere. This is where the agent tells them, in its own way."""
    seconds = pending["expires_in"]
    print(f"Please allow orchestrator to act for you, on your account page, within {seconds} s.", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except broker.Refused as refused:
        sys.exit(f"orchestrator: {refused.code}: {refused}")
    except web.Unanswered as silence:
        sys.exit(f"orchestrator: no answer: {silence}")
