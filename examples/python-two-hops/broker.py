"""The broker beside an agent: sessions, and tokens on behalf of a user."""

import os
import time
from urllib.parse import quote, urlencode

import web

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
URL = os.environ.get("LUMOAUTH_URL", "http://127.0.0.1:9180")


class Refused(Exception):
    """There is no token; `code` is one of the broker's, or says that the user did not agree."""

    def __init__(self, code, sentence):
        super().__init__(sentence)
        self.code = code


def begin_session(user_token):
    """Begins an agent session for a user: what is made of their token within it ends with it."""
    form = {"subject_token": user_token, "subject_token_type": ACCESS_TOKEN}
    return call("POST", "/v1/sessions", form)[2]["session"]


def end_session(session):
    """Drops and revokes every token of the session."""
    call("DELETE", "/v1/sessions/" + quote(session, safe=""))


def token_within(session, audience, scope, tell):
    """A token on behalf of the session's user. Where they have yet to agree, `tell` is called, and their answer awaited."""
    form = {"session": session, "audience": audience, "scope": scope}
    status, headers, answer = call("POST", "/v1/exchange", form)
    if status == 202:
        tell(answer)
        answer = decision_on(answer, headers)
    return answer["access_token"]


def token_for_caller(token, audience, scope):
    """A token on behalf of the user for whom a caller acts. Whoever is called does not wait for people."""
    form = {"subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": audience, "scope": scope}
    status, _, answer = call("POST", "/v1/exchange", form)
    if status == 202:
        raise Refused("consent_required", "The user has yet to agree.")
    return answer["access_token"]


def decision_on(pending, headers):
    path = "/v1/exchange/" + quote(pending["handle"], safe="")
    give_up_at = time.monotonic() + pending["expires_in"]
    while time.monotonic() < give_up_at:
        time.sleep(int(headers.get("Retry-After", "1")))
        _, headers, answer = call("GET", path)
        if answer["status"] == "approved":
            return answer
        if answer["status"] != "pending":
            raise Refused(answer["code"], answer["error_description"])
    raise Refused("expired", "The user did not answer in time.")


def call(method, path, form=None):
    headers = {"Lumo-Broker": "true"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    status, headers, answer = web.ask(method, URL + path, headers, form and urlencode(form))
    if status >= 400:
        raise Refused(answer.get("code", "unknown"), answer.get("error_description", "No token."))
    return status, headers, answer
