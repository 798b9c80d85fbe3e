"""What a registry's 401 asks for, and the header that answers it.

Source: RFC 9110, 11.6.1 `WWW-Authenticate`; the Docker Registry token authentication specification, its
`oauth2` form included, which trades an identity token.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from cockpit.adapters.registry.credentials import RegistryLogin
from cockpit.adapters.web import Answer, refuse, send
from cockpit.errors import BadAnswer
from cockpit.model.text import clean

_PARAMETER = r'[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,"]+)'
_CHALLENGE = re.compile(rf"\b(Bearer|Basic)\b\s*((?:{_PARAMETER}\s*,?\s*)*)", re.IGNORECASE)
_PAIR = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_CLIENT = "deployment-cockpit"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate."""

    scheme: str
    parameters: Mapping[str, str]


def challenges(answer: Answer) -> list[Challenge]:
    """The Bearer and Basic challenges of a 401, in its order."""
    header = ", ".join(answer.headers.get_list("WWW-Authenticate"))
    return [
        Challenge(scheme.lower(), {key.lower(): quoted or plain for key, quoted, plain in _PAIR.findall(rest)})
        for scheme, rest in _CHALLENGE.findall(header)
    ]


async def authorize(
    client: httpx.AsyncClient, answer: Answer, repository: str, login: RegistryLogin | None, what: str, secure: bool
) -> dict[str, str]:
    """The `Authorization` header for a 401, empty when nothing can be answered.

    `secure` says that the registry is reached by TLS: then its token service must be, too. Raises OutsideError when
    the token service gives no token.
    """
    asked = challenges(answer)
    bearer = next((each for each in asked if each.scheme == "bearer"), None)
    if bearer is not None:
        token = login.bearer.get_secret_value() if login and login.bearer else None
        return _header("Bearer", token or await _token(client, bearer, repository, login, what, secure))
    if asked and login is not None and login.password is not None:
        return _basic(login)
    return {}


async def _token(
    client: httpx.AsyncClient, asked: Challenge, repository: str, login: RegistryLogin | None, what: str, secure: bool
) -> str:
    realm = asked.parameters.get("realm", "")
    if not realm.startswith("https://" if secure else ("https://", "http://")):
        raise BadAnswer(f"{what} names a token service that cannot be used safely.", "It must be an https URL.")
    query = {"service": asked.parameters.get("service", ""), "scope": f"repository:{repository}:pull"}
    query |= {"scope": asked.parameters["scope"]} if asked.parameters.get("scope") else {}
    query = {key: value for key, value in query.items() if value}
    service = f"{what} (its token service)"
    if login is not None and login.identity is not None:
        form = {"grant_type": "refresh_token", "client_id": _CLIENT, **query}
        form["refresh_token"] = login.identity.get_secret_value()
        given = await send(client, "POST", realm, what=service, form=form)
    else:
        headers = _basic(login) if login is not None and login.password is not None else {}
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        given = await send(client, "GET", url, what=service, headers=headers)
    if given.status >= 300:
        # Its own words could quote what it was sent.
        raise refuse(Answer(given.status, given.headers, b""), service)
    body = given.json if isinstance(given.json, dict) else {}
    token = body.get("token") or body.get("access_token")
    if not isinstance(token, str) or not token.isprintable():
        raise BadAnswer(f"{clean(what)} gave no token.")
    return token


def _basic(login: RegistryLogin) -> dict[str, str]:
    secret = login.password.get_secret_value() if login.password else ""
    return _header("Basic", base64.b64encode(f"{login.user}:{secret}".encode()).decode())


def _header(scheme: str, value: str) -> dict[str, str]:
    return {"Authorization": f"{scheme} {value}"}
