"""Requests to monitoring servers: in threads, with credentials by reference and a total deadline.

The Prometheus client library is synchronous, as `requests` is that it rests on.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cockpit.adapters.echoes import masked, shown_by
from cockpit.adapters.lazily import library
from cockpit.errors import BadAnswer, DeadlineExceeded, OutsideError, Unreachable
from cockpit.model.text import clean

Secret = Callable[[], SecretStr]
_THREADS = 64
_BODY = 2**23
_CHUNK = 2**16


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks. Secrets are read at every request; `ca_file` holds the certificates that are trusted."""

    token: Secret | None = None
    basic: tuple[str, Secret] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Secret] = field(default_factory=dict)
    ca_file: str | None = None

    def request_headers(self) -> dict[str, str]:
        """The headers of one request; raises SecretMissing."""
        found = {"Accept": "application/json", **self.headers}
        found |= {name: secret().get_secret_value() for name, secret in self.secret_headers.items()}
        if self.token is not None:
            found["Authorization"] = f"Bearer {self.token().get_secret_value()}"
        elif self.basic is not None:
            pair = f"{self.basic[0]}:{self.basic[1]().get_secret_value()}"
            found["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return found


class Requests:
    """GET requests of one kind of server, named `server` in errors. Use `close` at the end."""

    def __init__(self, server: str, credentials: Credentials, *, timeout: float, trust_env: bool) -> None:
        """`timeout` is the total time of a request in seconds."""
        self._server = server
        self._credentials = credentials
        self._timeout = timeout
        self._trust_env = trust_env
        # A server that hangs keeps a thread for the whole deadline; the other queries of a round still find one.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=server.lower())
        self._requests: Any = None
        self._broken_off: Any = None
        self._session: Any = None

    async def open(self) -> Any:
        """Import the library and make the session, which is returned; nothing is sent."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._connect)

    async def close(self) -> None:
        """End the session; does not wait for requests that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            self._session.close()

    async def get(self, url: str, parameters: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and body of an answer, which does not tell our credentials back."""
        if self._session is None:
            await self.open()
        headers = self._credentials.request_headers()
        loop = asyncio.get_running_loop()
        asking = loop.run_in_executor(self._threads, self._ask, url, dict(parameters), headers)
        try:
            async with asyncio.timeout(self._timeout):
                status, body = await asking
        except TimeoutError:
            raise self._late() from None
        secret = (headers[name] for name in self._credentials.secret_headers)
        return status, masked(body, (*secret, *shown_by(headers)))

    def _connect(self) -> Any:
        if self._session is None:
            self._requests = library("requests")
            # Raised while a body is read, and wrapped by `requests` only where it reads the body itself.
            self._broken_off = library("urllib3.exceptions").HTTPError
            retry = library("urllib3.util.retry").Retry
            session = self._requests.Session()
            session.trust_env = self._trust_env
            # `read=False`: a read that times out is to be told from a connection that breaks.
            pool = self._requests.adapters.HTTPAdapter(pool_maxsize=_THREADS, max_retries=retry(0, read=False))
            session.mount("http://", pool)
            session.mount("https://", pool)
            if self._credentials.ca_file is not None:
                session.verify = str(Path(self._credentials.ca_file).expanduser())
            self._session = session
        return self._session

    def _ask(self, url: str, parameters: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._timeout
        try:
            with self._session.get(
                url, params=parameters, headers=headers, timeout=self._timeout, stream=True, allow_redirects=False
            ) as response:
                return response.status_code, self._read(response, deadline)
        except (self._requests.RequestException, self._broken_off, OSError, ValueError) as error:
            raise self._failure(error, url) from error

    def _late(self) -> OutsideError:
        return DeadlineExceeded(f"{self._server} did not answer within {self._timeout:g} s.")

    def _failure(self, error: Exception, url: str) -> OutsideError:
        if isinstance(error, self._requests.Timeout | TimeoutError):
            return self._late()
        if isinstance(error, self._broken_off):
            return Unreachable(f"{self._server}'s answer broke off ({type(error).__name__}).", "Try again.")
        if isinstance(error, self._requests.exceptions.SSLError):
            hint = "Name the certificates of its authority in `ca_file:`."
            return Unreachable(f"{self._server}'s TLS certificate is not trusted.", hint)
        ca_file = self._credentials.ca_file
        if ca_file is not None and not Path(ca_file).expanduser().is_file():
            return Unreachable(f"The certificates in {clean(ca_file, 200)} cannot be read.", "Correct `ca_file:`.")
        where = clean(url.partition("/api/")[0], 200)
        return Unreachable(
            f"{self._server} cannot be reached: {type(error).__name__}", f"Check {where} and the network."
        )

    def _read(self, response: Any, deadline: float) -> bytes:
        data = bytearray()
        # The library's timeout is for one read; a slow drip must not hold this thread for ever.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            data += chunk
            if time.monotonic() > deadline:
                raise TimeoutError
            if len(data) > _BODY:
                raise BadAnswer(f"{self._server} answered more than {_BODY} bytes.", "Narrow the query.")
        return bytes(data)
