"""The second agent: whoever calls it shows a token, on whose behalf it asks the documents server."""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import broker
import web

PORT = int(os.environ.get("PORT", "9185"))
NAME = "specialist"
DOCUMENTS = "https://docs.example.com"
DOCUMENTS_URL = os.environ.get("DOCUMENTS_URL", "http://127.0.0.1:9173")


class Specialist(BaseHTTPRequestHandler):
    timeout = 10  # seconds that a caller may be silent

    def do_GET(self):
        if self.path != "/summary":
            return self.answer(404, {"error": "not_found"})
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_for_me(token):
            return self.answer(401, {"error": "invalid_token"})
        try:
            own = broker.token_for_caller(token, DOCUMENTS, "read:documents")
            headers = {"Authorization": "Bearer " + own}
            status, _, found = web.ask("GET", DOCUMENTS_URL + "/documents", headers)
        except broker.Refused as refused:
            return self.answer(403, {"error": "access_denied", "code": refused.code})
        except web.Unanswered:
            return self.answer(503, {"error": "temporarily_unavailable"})
        return self.answer(status, found)

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *given):
        pass


def is_for_me(token):
    """Sends away what was made for somebody else. The exchange verifies the signature; until then nothing is done with it."""
    try:
        payload = token.split(".")[1]
        audience = json.loads(base64.urlsafe_b64decode(payload + "==")).get("aud")
    except (IndexError, ValueError, AttributeError):
        return False
    return audience == NAME or audience == [NAME]


if __name__ == "__main__":
    try:
        server = ThreadingHTTPServer(("127.0.0.1", PORT), Specialist)
    except OSError as error:
        sys.exit(f"specialist: {error.strerror}: end what has port {PORT}, or set PORT")
    print(f"specialist listens on 127.0.0.1:{PORT}", flush=True)
    server.serve_forever()
