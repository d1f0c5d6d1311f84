#!/usr/bin/env bash
# MSAL for Python answers a retry from memory: five attempts a second apart are one request.
#
# Version:  msal 1.39.0
# Expected: acquire_token_for_client caches tokens, but not errors: each further call sends a request to the token endpoint.
# Found:    error responses are cached too, in the application object: 429 and 5xx for Retry-After, or for 5 seconds without one;
#           400 for 60 seconds. Until then every call returns or raises the same error without a request, and such a response
#           looks like a new one. 401 (a wrong secret) is not cached. A new ConfidentialClientApplication sends a request immediately.
# Matters:  a script that retries five times with a second in between sends one request, and fails because of a one-second outage at Entra. A
#           loop that waits for a new app registration to propagate (400, AADSTS700016) sees the same old response for a minute at a time.
# Instead:  back off for more than 5 seconds, and for more than 60 after a 400; or create a new application object for each retry.
. "$(dirname "$0")/lib.sh"
install msal==1.39.0

python - <<'PY'
import json

import msal
from stated import stated


class Answer:
    headers = {}

    def __init__(self, status, **content):
        self.status_code, self.text = status, json.dumps(content)

    def raise_for_status(self):
        pass


class Entra:
    """An HTTP client that fails once, and then gives tokens."""

    def __init__(self, failure):
        self.answers, self.requests = [failure], 0

    def get(self, url, **_):
        base = "https://login.microsoftonline.com/tenant"
        return Answer(200, authorization_endpoint=base + "/authorize", token_endpoint=base + "/token", issuer=base)

    def post(self, url, **_):
        self.requests += 1
        return self.answers.pop() if self.answers else Answer(200, access_token="token", token_type="Bearer", expires_in=3600)


def requests_of(calls, *failure, new_application=False, **content):
    entra, outcomes = Entra(Answer(*failure, **content)), []
    for call in range(calls):
        if call == 0 or new_application:
            application = msal.ConfidentialClientApplication(
                "client", client_credential="secret", http_client=entra, instance_discovery=False,
                authority="https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111")
        try:
            answer = application.acquire_token_for_client(["https://graph.microsoft.com/.default"])
        except Exception:
            answer = {}
        outcomes.append("token" if "access_token" in answer else "error")
    return entra.requests, outcomes


stated("503, three calls", requests_of(3, 503), (1, ["error"] * 3))
stated("429, three calls", requests_of(3, 429, error="slow_down"), (1, ["error"] * 3))
stated("400, three calls", requests_of(3, 400, error="unauthorized_client"), (1, ["error"] * 3))
stated("401, two calls", requests_of(2, 401, error="invalid_client"), (2, ["error", "token"]))
stated("503, two applications", requests_of(2, 503, new_application=True), (2, ["error", "token"]))
PY
