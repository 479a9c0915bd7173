"""One HTTP request with JSON as its answer. It follows no redirect and uses no proxy, so a token goes where it is sent."""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit, urlunsplit

TIMEOUT_SECONDS = 10
LARGEST_ANSWER = 65_536


class Unanswered(Exception):
    """Nobody answered, or not with JSON."""


def ask(method, url, headers, body=None):
    """Gives the status, the headers and what the JSON of the answer holds."""
    place = urlsplit(url)
    target = urlunsplit(("", "", place.path, place.query, ""))
    connect = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = connect(place.hostname, place.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read(LARGEST_ANSWER) or "{}")
    except (OSError, HTTPException, ValueError) as error:
        raise Unanswered(f"{method} {place.netloc}: {type(error).__name__}") from None
    finally:
        connection.close()
