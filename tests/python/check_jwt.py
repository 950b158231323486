"""Checks the tokens of a login with PyJWT, as a back end would that has the service's address and nothing else of ours.

The file has `tokens` (of the answer that completes a login), `jwks` (what the tenant publishes) and `expected`: `issuer`, `audience`
and the `claims` that both tokens have to make.
"""

import base64
import json
import sys

import jwt


def header_and_key(token, keys):
    header = jwt.get_unverified_header(token)
    assert set(header) == {"typ", "alg", "kid"}, header
    assert header["alg"] == "ES256", header
    matching = [key for key in keys.keys if key.key_id == header["kid"]]
    assert len(matching) == 1, f"{len(matching)} keys are called {header['kid']}"
    return header, matching[0]


def decode(token, key, expected):
    return jwt.decode(
        token,
        key,
        algorithms=["ES256"],
        audience=expected["audience"],
        issuer=expected["issuer"],
        options={"require": ["iss", "aud", "sub", "iat", "exp", "auth_time", "amr", "acr", "txn"]},
    )


def refused(token, key, expected):
    try:
        decode(token, key, expected)
    except jwt.InvalidTokenError:
        return True
    return False


def with_claim(token, name, value):
    """The same token with one claim changed, under the old signature."""
    header, claims, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    claims[name] = value
    claims = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{header}.{claims}.{signature}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        login = json.load(file)
    tokens, jwks, expected = login["tokens"], login["jwks"], login["expected"]
    for key in jwks["keys"]:
        public = {"kty", "crv", "x", "y", "use", "alg", "kid"}
        assert set(key) == public, f"a published key has {set(key) ^ public}"
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256"), key
    keys = jwt.PyJWKSet.from_dict(jwks)

    for name, kind in (("access_token", "at+jwt"), ("id_token", "JWT")):
        token = tokens[name]
        header, key = header_and_key(token, keys)
        assert header["typ"] == kind, f"{name} is a {header['typ']}"
        claims = decode(token, key, expected)
        for claim, value in expected["claims"].items():
            assert claims[claim] == value, f"{name} says {claim}={claims[claim]!r}, not {value!r}"
        assert claims["exp"] - claims["iat"] == tokens["expires_in"], claims
        assert claims["auth_time"] <= claims["iat"], claims
        if name == "access_token":
            # RFC 9068, 2.2.
            assert claims["client_id"] == expected["audience"] and claims["jti"], claims

        # The check is worth something only if it fails where it should.
        for other in ("issuer", "audience"):
            assert refused(token, key, expected | {other: expected[other] + "x"}), f"any {other} will do"
        assert refused(with_claim(token, "sub", "usr_somebody"), key, expected), "the signature counts for nothing"
    print(f"both tokens are good, by PyJWT {jwt.__version__}")


main()
