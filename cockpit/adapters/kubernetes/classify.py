"""What an answer, or the lack of one, means: the one place that turns faults of the API into our errors.

Source: Kubernetes API conventions, "Response Status Kind"; a JSON Patch whose `test` fails is answered with 422.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from cockpit.adapters.kubernetes.resource import Json, Resource, dig, text
from cockpit.errors import BadAnswer, Conflict, DeadlineExceeded, Denied, NotFound, OutsideError, Unreachable
from cockpit.model.text import clean

FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What aiohttp and the Kubernetes library raise for a request that brought no answer."""

_NOTHING_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_READ_BACK = "It is not known whether the change took effect: read the object."


class Gone(BadAnswer):
    """The version of the collection that was asked for is no longer kept: list again."""


class BadRequest(BadAnswer):
    """The server understood and refused (HTTP 400); `said` is its reason alone."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


class Throttled(Unreachable):
    """The server did not even try; it asks to come back after `retry_after` seconds (None: not said)."""

    def __init__(self, message: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, in the words of RBAC."""

    verb: str
    resource: Resource

    @property
    def writing(self) -> bool:
        """Whether the request may change something."""
        return self.verb not in {"get", "list", "watch"}

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def classify_failure(error: BaseException, request: Request) -> OutsideError:
    """The error for a request that brought no whole answer."""
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
        return DeadlineExceeded(f"The API server did not answer in time: {request}", _hint(request))
    if isinstance(error, _NOTHING_SENT):
        return Unreachable(f"The API server cannot be reached: {_words(error)}", _connect_hint(error))
    if request.writing:
        return DeadlineExceeded(f"The connection broke during {request}: {_words(error)}", _READ_BACK)
    if isinstance(error, ValueError):
        return BadAnswer(f"The API server's answer cannot be read: {request}: {_words(error)}")
    return Unreachable(f"The connection to the API server broke during {request}: {_words(error)}")


def classify_status(status: int, body: bytes, request: Request, retry_after: float | None = None) -> OutsideError:
    """The error for an answer whose status is not 2xx; `retry_after` is the answer's wish, in seconds."""
    answer = status_of(body)
    said = clean(text(answer, "message")) or f"HTTP {status}"
    if status in (401, 403):
        return _denied(status, said, request)
    if answer is None and status in (404, 409, 422) and not body.startswith(b"404 page not found"):
        return BadAnswer(f"HTTP {status} to {request}, but not from the API server", "Is a proxy in between?")
    if status == 404:
        return NotFound(f"{request.resource} does not exist: {said}")
    if status == 410:
        return Gone(f"The version asked for is gone: {said}")
    if status in (409, 422):
        return Conflict(f"The API server refused {request}: {said}")
    return _trouble(status, said, request, retry_after)


def parse(body: bytes, request: Request) -> Json:
    """The JSON object of a 2xx answer; raises BadAnswer, or DeadlineExceeded when the request was a write."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    kind = "a web page" if body.lstrip()[:1] == b"<" else "something that is not a JSON object"
    message = f"Got {kind} instead of an answer to {request}"
    if request.writing:
        raise DeadlineExceeded(message, _READ_BACK)
    raise BadAnswer(message, "A proxy or login page may answer in place of the API server.")


def status_of(body: bytes) -> Json | None:
    """The `Status` object in a body, or None if the API server did not write it."""
    try:
        value: Any = json.loads(body)
    except ValueError:
        return None
    return value if dig(value, "kind") == "Status" and dig(value, "apiVersion") == "v1" else None


def _trouble(status: int, said: str, request: Request, retry_after: float | None) -> OutsideError:
    if status == 429:
        message = f"The API server is throttling {request}: {said}"
        return Throttled(message, "Nothing was changed; try again soon.", retry_after)
    if status >= 500:
        message = f"The API server failed (HTTP {status}) at {request}: {said}"
        if request.writing:
            return DeadlineExceeded(message, _READ_BACK)
        return Throttled(message, retry_after=retry_after)
    message = f"HTTP {status} to {request}: {said}"
    return BadRequest(message, said) if status == 400 else BadAnswer(message)


def _denied(status: int, said: str, request: Request) -> Denied:
    if status == 401:
        return Denied(f"The API server does not accept the credentials: {said}", "Log in again, then retry.")
    verb, resource = request.verb, request.resource
    where = f" in namespace {resource.namespace}" if resource.namespace else ""
    return Denied(f"Not allowed to {request}: {said}", f"Grant the verb {verb} on {resource.right}{where}.")


def _hint(request: Request) -> str:
    return _READ_BACK if request.writing else ""


def _connect_hint(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "Its certificate is not trusted: check certificate-authority in the kubeconfig."
    return "Check the server's address, the network and the VPN."


def _words(error: BaseException) -> str:
    return clean(str(error) or type(error).__name__, 200)
