"""A relying party by Authlib, in two steps with a browser between them.

    oidc_client.py begin   reads {"issuer", "client_id", "redirect_uri"}, answers {"url", "state", "nonce", "code_verifier"}
    oidc_client.py finish  reads those, "client_secret" and the "callback" that the browser was sent to; answers {"claims", "userinfo"}

JSON on standard input and output. Everything that is checked (state, signature, issuer, audience, nonce, times) is Authlib's to check.
"""

import json
import sys

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url

try:
    from joserfc import jwt
    from joserfc.jwk import KeySet
except ImportError:  # Authlib before 1.7 has its own.
    from authlib.jose import JsonWebKey as KeySet
    from authlib.jose import jwt


def metadata(issuer):
    answer = requests.get(get_well_known_url(issuer, external=True), timeout=10)
    answer.raise_for_status()
    document = OpenIDProviderMetadata(answer.json())
    # OpenID Connect Discovery wants RS256 in the list of every provider; this one signs with ES256 and nothing else, and says so.
    rs256 = {"id_token_signing_alg_values_supported": [*document["id_token_signing_alg_values_supported"], "RS256"]}
    OpenIDProviderMetadata({**document, **rs256}).validate()
    assert document["issuer"] == issuer, document["issuer"]
    return document


def session(given, document):
    secret = given.get("client_secret")
    return OAuth2Session(
        given["client_id"],
        secret,
        redirect_uri=given["redirect_uri"],
        scope="openid profile",
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        state=given.get("state"),
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
    )


def begin(given):
    from authlib.common.security import generate_token

    document = metadata(given["issuer"])
    verifier, nonce = generate_token(48), generate_token(16)
    url, state = session(given, document).create_authorization_url(
        document["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    return {"url": url, "state": state, "nonce": nonce, "code_verifier": verifier}


def finish(given):
    document = metadata(given["issuer"])
    client = session(given, document)
    token = client.fetch_token(
        document["token_endpoint"],
        authorization_response=given["callback"],
        code_verifier=given["code_verifier"],
    )
    keys = KeySet.import_key_set(requests.get(document["jwks_uri"], timeout=10).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"values": [given["issuer"]]}, "aud": {"values": [given["client_id"]]}},
        params={"nonce": given["nonce"], "client_id": given["client_id"]},
    )
    claims.validate(leeway=5)
    userinfo = client.get(document["userinfo_endpoint"], timeout=10)
    userinfo.raise_for_status()
    return {"claims": dict(claims), "userinfo": userinfo.json()}


if __name__ == "__main__":
    step = {"begin": begin, "finish": finish}[sys.argv[1]]
    json.dump(step(json.load(sys.stdin)), sys.stdout)
