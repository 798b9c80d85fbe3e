"""Who we are to the API server: credentials, their renewal, and the session of the Kubernetes library they make."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from cockpit.adapters.kubernetes import credentials, kubeconfig
from cockpit.adapters.kubernetes.addresses import KnownAddresses
from cockpit.adapters.kubernetes.scratch import scratch_directory
from cockpit.adapters.lazily import library
from cockpit.errors import Denied, Unreachable, UsageError
from cockpit.model.text import clean

_RENEW_BEFORE = timedelta(seconds=60)
_RENEW_AT_MOST_EVERY = 30.0
_USER_FILES = ("client-certificate", "client-key", "tokenFile")
_CLUSTER_FILES = ("certificate-authority",)


@dataclass(slots=True)
class _Session:
    """`files` are those that credentials were read from, each with what tells that it was replaced."""

    api: Any
    expires: datetime | None = None
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)


class Login:
    """Holds the library's ApiClient and replaces it when its credentials end."""

    def __init__(self, context: kubeconfig.Context | None, scratch: Path, trust_env: bool = False) -> None:
        self._context = context
        self._scratch = scratch
        self._trust_env = trust_env
        self._session: _Session | None = None
        self._addresses: KnownAddresses | None = None
        self._retired: list[Any] = []
        self._lock = asyncio.Lock()

    @property
    def context(self) -> str | None:
        """The name of the kubeconfig context, or None inside a cluster."""
        return self._context.name if self._context else None

    @property
    def api(self) -> Any:
        """The `kubernetes.aio` ApiClient of the moment; raises Unreachable before `start`."""
        if self._session is None:
            raise Unreachable("The Kubernetes client is not open.")
        return self._session.api

    async def start(self) -> None:
        """Obtain credentials and build the session; raises Denied when the user has credentials that do not load."""
        self._session = await self._log_in()

    async def close(self) -> None:
        """End all connections."""
        for api in [*self._retired, *([self._session.api] if self._session else [])]:
            await api.close()

    async def renew(self, force: bool = False) -> bool:
        """Log in again when a certificate, key or token file was replaced, when the credentials end soon, or when
        `force`d; the latter two not more often than every 30 s.
        """
        session = self._session
        if session is None:
            return False
        replaced = any(stamp != session.files[path] for path, stamp in _stamps(session.files).items())
        if not (replaced or self._due(session, force)):
            return False
        async with self._lock:
            if self._session is session:
                self._session = await self._next(session, replaced and not force)
                if self._session is session:
                    return False
                # Requests that are under way, such as a watch, end on the old session.
                self._retired.append(session.api)
        return True

    async def _next(self, session: _Session, keep: bool) -> _Session:
        try:
            return await self._log_in()
        except Denied:
            # A certificate and its key are not replaced in one moment: the old ones do until both are there.
            if keep:
                return session
            raise

    def _due(self, session: _Session, force: bool) -> bool:
        if time.monotonic() - session.since < _RENEW_AT_MOST_EVERY:
            return False
        return force or (session.expires is not None and session.expires - datetime.now(UTC) < _RENEW_BEFORE)

    async def _log_in(self) -> _Session:
        library = await asyncio.to_thread(_library)
        files = _stamps(_credential_files(self._context))
        configuration = library.client.Configuration()
        # ~/.netrc and proxy variables of a shared bastion must not decide where credentials go.
        configuration.client_session_kwargs = {"trust_env": self._trust_env}
        expires = None
        try:
            if self._context is None:
                library.config.load_incluster_config(configuration)
            else:
                expires = await self._configure(library, configuration, self._context)
            configuration.host = configuration.host.rstrip("/")
            # Reads the certificates, which may not fit their key.
            api = library.client.ApiClient(configuration)
        except (library.config.ConfigException, OSError, ValueError, LookupError, TypeError) as error:
            raise Denied(f"The credentials cannot be loaded: {clean(str(error))}", "Correct the kubeconfig.") from error
        api.rest_client._create_connector = partial(self._connector, api.rest_client)
        # As the library's own WebSocket client does; exec may be the first request of a session.
        api.rest_client.pool_manager = api.rest_client._create_pool_manager()
        return _Session(api, expires, files)

    def _connector(self, rest: Any) -> aiohttp.TCPConnector:
        """In place of the library's: the hook that it offers for another resolver."""
        self._addresses = self._addresses or KnownAddresses()
        return aiohttp.TCPConnector(limit=rest.maxsize, ssl=rest.ssl_context, resolver=self._addresses)

    async def _configure(self, library: Any, configuration: Any, context: kubeconfig.Context) -> datetime | None:
        found = await credentials.resolve(context.user)
        config = context.as_config(credentials.to_files(found.user, self._scratch, "user"))
        config["clusters"][0]["cluster"] = credentials.to_files(context.cluster, self._scratch, "cluster")
        async with asyncio.timeout(credentials.PLUGIN_DEADLINE):
            await library.config.load_kube_config_from_dict(config, client_configuration=configuration)
        # The library logs a failed login and goes on as nobody.
        if context.user and not (configuration.api_key or configuration.cert_file):
            raise Denied(
                f"The user of the context {clean(context.name)!r} gave no credentials.",
                "Log in again, or correct the user's entry in the kubeconfig.",
            )
        return found.expires


def _credential_files(context: kubeconfig.Context | None) -> list[str]:
    """The files that may be replaced while we run. Inside a cluster the library itself reads the token again."""
    entries = [(context.user, _USER_FILES), (context.cluster, _CLUSTER_FILES)] if context else []
    return [entry[key] for entry, keys in entries for key in keys if entry.get(key)]


def _stamps(files: Iterable[str]) -> dict[str, tuple[int, int]]:
    """What tells that a file was replaced, of those that are there."""
    stamps = {}
    for path in files:
        with suppress(OSError):
            found = os.stat(path)
            stamps[path] = (found.st_mtime_ns, found.st_ino)
    return stamps


def _library() -> Any:
    """The Kubernetes library; imported late, because that takes half a second."""
    library("kubernetes.aio.config")
    return library("kubernetes.aio")


@asynccontextmanager
async def open_login(path: str | None, context: str | None, trust_env: bool) -> AsyncIterator[Login]:
    """Credentials of a kubeconfig's context, or of the pod this process runs in; see `client.open_client`."""
    files = kubeconfig.find(path)
    if not files and "KUBERNETES_SERVICE_HOST" not in os.environ:
        hint = "Name a kubeconfig with --kubeconfig or KUBECONFIG."
        raise UsageError("There is no kubeconfig, and this is not a pod.", hint)
    chosen = kubeconfig.load(files, context) if files else None
    with scratch_directory() as scratch:
        login = Login(chosen, scratch, trust_env)
        try:
            await login.start()
            yield login
        finally:
            await login.close()
