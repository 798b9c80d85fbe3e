"""Errors as a Kubernetes API server answers them."""

from __future__ import annotations

from cockpit.simulator.world.kinds import Kind
from cockpit.simulator.world.values import Obj

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class ApiError(Exception):
    """A request that fails with a Status body."""

    def __init__(self, code: int, message: str, reason: str = "", details: Obj | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or _REASONS.get(code, "Unknown")
        self.details = details

    def body(self) -> Obj:
        """The Status object."""
        status: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details is not None:
            status["details"] = self.details
        return status


def _about(kind: Kind, name: str) -> Obj:
    return (
        {"name": name, "group": kind.group, "kind": kind.plural} if kind.group else {"name": name, "kind": kind.plural}
    )


def not_found(kind: Kind, name: str) -> ApiError:
    """404 for an object that is not there."""
    return ApiError(404, f'{kind.qualified} "{name}" not found', details=_about(kind, name))


def no_such_path() -> ApiError:
    """404 for a path that serves nothing."""
    return ApiError(404, "the server could not find the requested resource", details={})


def already_exists(kind: Kind, name: str) -> ApiError:
    """409 for the creation of what is there."""
    return ApiError(409, f'{kind.qualified} "{name}" already exists', "AlreadyExists", _about(kind, name))


def conflict(kind: Kind, name: str, why: str = "") -> ApiError:
    """409 for a write that rests on an old resource version, or on another precondition that fails."""
    why = why or ("the object has been modified; please apply your changes to the latest version and try again")
    text = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}'
    return ApiError(409, text, details=_about(kind, name))


def invalid(kind: Kind, name: str, field: str, message: str) -> ApiError:
    """422 for an object that is not valid."""
    cause = {"reason": "FieldValueInvalid", "message": message, "field": field}
    details = {"name": name, "group": kind.group, "kind": kind.name, "causes": [cause]}
    return ApiError(422, f'{kind.name}.{kind.group} "{name}" is invalid: {field}: {message}', details=details)


def patch_failed() -> ApiError:
    """422 for a JSON Patch whose test fails or whose path is not there."""
    text = "the server rejected our request due to an error in our request"
    return ApiError(422, text, details={})


def expired(version: str, current: int) -> ApiError:
    """410 for a resource version older than the kept history."""
    return ApiError(410, f"too old resource version: {version} ({current})")


def forbidden(kind: Kind, name: str, user: str, verb: str, namespace: str) -> ApiError:
    """403 for what the user may not do."""
    where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
    text = (
        f'{kind.qualified} "{name}" is forbidden: User "{user}" cannot {verb} resource "{kind.plural}"'
        f' in API group "{kind.group}"{where}'
    )
    return ApiError(403, text, details=_about(kind, name))
