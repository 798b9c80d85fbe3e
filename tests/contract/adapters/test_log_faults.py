"""A container's log, over a server that does what kubelets, proxies and networks do."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes.logs import LogReader, LogTimes
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.errors import DeadlineExceeded, Denied, NotFound, OutsideError, Unreachable
from cockpit.model.lens import LogQuery

from .faulty import FaultyServer, answer, status
from .stage import until

PODS = Resource("", "v1", "pods", "n")
TIMES = LogTimes(whole=5.0, quiet=5.0, pause=0.01, longest_pause=0.02, waiting=0.01, settle=0.01)
BAD = "\N{REPLACEMENT CHARACTER}"
Said = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def line(second: int, text: str) -> bytes:
    return f"2026-11-26T08:00:{second:02d}.000000000Z {text}\n".encode()


@dataclass
class Kubelet:
    """Answers for one pod: its state, and what each connection to its log says; the last one for ever."""

    faulty: FaultyServer
    says: list[Said | tuple[int, Any]]
    pod: dict[str, Any] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pod = pod()
        self.faulty.script = self._answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/log"):
            if self.pod is None:
                return answer(404, status(404, "NotFound", 'pods "web" not found'))
            return answer(200, self.pod)
        self.asked.append(dict(request.query))
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, tuple):
            return answer(*said)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await said(request, response)
        return response


def pod(
    restarts: int = 0, ended: int | None = None, uid: str = "u1", names: tuple[str, ...] = ("web",)
) -> dict[str, Any]:
    over = {"terminated": {"reason": "Error", "exitCode": ended}} if ended is not None else {"running": {}}
    state = {"name": names[0], "restartCount": restarts, "state": over}
    if restarts:
        state["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    containers = [{"name": name} for name in names]
    return {"metadata": {"name": "web", "uid": uid}, "spec": {"containers": containers},
            "status": {"containerStatuses": [state]}}  # fmt: skip


def says(*parts: bytes, then: str = "end") -> Said:
    """Writes the parts, then ends, cuts the connection, or says nothing more."""

    async def said(request: web.Request, response: web.StreamResponse) -> None:
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0)
        if then == "hang":
            await asyncio.Event().wait()
        if then == "cut":
            assert request.transport is not None
            request.transport.abort()
            return
        await response.write_eof()

    return said


def waiting(words: str) -> tuple[int, Any]:
    return 400, status(400, "BadRequest", words)


async def read(faulty: FaultyServer, tmp_path: Path, times: LogTimes = TIMES, **query: Any) -> list[str]:
    """All lines up to the end of the log."""
    found: list[str] = []
    async with (
        asyncio.timeout(20),
        faulty.client(tmp_path, deadline=2.0) as client,
        aclosing(LogReader(client, PODS, LogQuery("web", **query), times).batches()) as batches,
    ):
        async for batch in batches:
            found += batch
    return found


async def asked_times(kubelet: Kubelet, times: int) -> None:
    """Wait until the log was asked for so often."""

    async def look() -> int:
        return len(kubelet.asked)

    await until(look, lambda seen: seen >= times)


async def test_log_is_read_once(faulty: FaultyServer, tmp_path: Path) -> None:
    kubelet = Kubelet(faulty, [says(line(1, "a"), line(2, "b")[:-1])])
    assert await read(faulty, tmp_path, follow=False, tail=7) == ["a", "b"]
    assert kubelet.asked == [{"timestamps": "true", "container": "web", "tailLines": "7"}]


async def test_previous_log_is_asked_for(faulty: FaultyServer, tmp_path: Path) -> None:
    kubelet = Kubelet(faulty, [says(line(1, "last words"))])
    stamped = await read(faulty, tmp_path, previous=True, timestamps=True)
    assert stamped == ["2026-11-26T08:00:01.000000000Z last words"]
    assert kubelet.asked[0]["previous"] == "true"
    assert "follow" not in kubelet.asked[0]


async def test_followed_log_ends_with_its_container(faulty: FaultyServer, tmp_path: Path) -> None:
    kubelet = Kubelet(faulty, [says(line(1, "a"), line(2, "b"))])
    kubelet.pod = pod(ended=1)
    assert await read(faulty, tmp_path) == ["a", "b", "── the container ended (Error, exit code 1) ──"]
    assert kubelet.asked[0]["follow"] == "true"


async def test_status_that_lags_behind_is_waited_for(faulty: FaultyServer, tmp_path: Path) -> None:
    async def said(request: web.Request, response: web.StreamResponse) -> None:
        await says(line(1, "a"))(request, response)
        asyncio.get_running_loop().call_later(0.015, lambda: setattr(kubelet, "pod", pod(restarts=1)))

    kubelet = Kubelet(faulty, [said])
    ended = "── the container ended (OOMKilled, exit code 137) and was started again ──"
    assert await read(faulty, tmp_path) == ["a", ended]


@pytest.mark.parametrize("cut", [len(line(2, "zwei €")) - 3, len(line(2, "zwei")) - 2, 5, 0])
async def test_log_that_is_cut_within_a_line_loses_and_doubles_nothing(
    faulty: FaultyServer, tmp_path: Path, cut: int
) -> None:
    kubelet = Kubelet(faulty, [
        says(line(1, "a"), line(2, "zwei €")[:cut], then="cut"),
        says(line(1, "a"), line(2, "zwei €"), line(2, "zwei €"), then="cut"),
        says(line(2, "zwei €"), line(2, "zwei €"), line(3, "drei")),
    ])  # fmt: skip

    async def end() -> None:
        await asked_times(kubelet, 3)
        kubelet.pod = pod(ended=0)

    ending = asyncio.create_task(end())
    lines = await read(faulty, tmp_path)
    await ending
    assert [text for text in lines if not text.startswith("──")] == ["a", "zwei €", "zwei €", "drei"]
    notes = [text for text in lines if text.startswith("──")]
    assert "trying to read on" in notes[0]
    assert notes[1:3].count("── reading on ──") >= 1
    assert notes[-1] == "── the container ended (Error, exit code 0) ──"
    assert [asked.get("sinceTime") for asked in kubelet.asked[:3]] == [
        None, "2026-11-26T08:00:01Z", "2026-11-26T08:00:02Z",
    ]  # fmt: skip
    assert "tailLines" not in kubelet.asked[1]


async def test_rest_of_a_container_that_restarted_meanwhile_comes_from_its_previous_log(
    faulty: FaultyServer, tmp_path: Path
) -> None:
    async def said(request: web.Request, response: web.StreamResponse) -> None:
        kubelet.pod = pod(restarts=1)
        await says(line(1, "a"), then="cut")(request, response)

    kubelet = Kubelet(faulty, [said, says(line(1, "a"), line(2, "out of memory"))])
    lines = await read(faulty, tmp_path)
    assert lines[0] == "a"
    assert lines[1] == "out of memory"
    assert "OOMKilled" in lines[-1]
    assert kubelet.asked[1]["previous"] == "true"
    assert "follow" not in kubelet.asked[1]


async def test_pod_that_is_deleted_ends_its_log(faulty: FaultyServer, tmp_path: Path) -> None:
    async def said(request: web.Request, response: web.StreamResponse) -> None:
        kubelet.pod = None
        await says(line(1, "a"))(request, response)

    kubelet = Kubelet(faulty, [said])
    assert await read(faulty, tmp_path) == ["a", "── the pod is gone ──"]


async def test_pod_that_is_replaced_ends_its_log(faulty: FaultyServer, tmp_path: Path) -> None:
    async def said(request: web.Request, response: web.StreamResponse) -> None:
        kubelet.pod = pod(uid="u2")
        await says(line(1, "a"), then="cut")(request, response)

    kubelet = Kubelet(faulty, [said, says(line(1, "of another pod"))])
    assert await read(faulty, tmp_path) == ["a", "── the pod was replaced by another of the same name ──"]


async def test_quiet_log_is_asked_for_again_without_a_word(faulty: FaultyServer, tmp_path: Path) -> None:
    kubelet = Kubelet(faulty, [
        says(then="hang"),
        says(line(1, "a"), then="hang"),
        says(line(1, "a"), then="hang"),
        says(line(1, "a"), line(2, "b"), then="hang"),
    ])  # fmt: skip
    times = LogTimes(quiet=0.05, settle=0.01)
    found: list[str] = []
    async with (
        asyncio.timeout(20),
        faulty.client(tmp_path) as client,
        aclosing(LogReader(client, PODS, LogQuery("web", tail=0), times).batches()) as batches,
    ):
        async for batch in batches:
            found += batch
            if "b" in found:
                break
    assert found == ["a", "b"]
    assert kubelet.asked[0]["tailLines"] == "0"
    assert "sinceSeconds" in kubelet.asked[1]
    assert kubelet.asked[2]["sinceTime"] == "2026-11-26T08:00:01Z"


async def test_container_that_has_not_started_is_waited_for_in_words(faulty: FaultyServer, tmp_path: Path) -> None:
    words = 'container "web" in pod "web" is waiting to start: ContainerCreating'
    kubelet = Kubelet(faulty, [waiting(words), waiting(words), (503, "<p>away"), says(line(1, "a"))])
    reader = asyncio.create_task(read(faulty, tmp_path))
    await asked_times(kubelet, 4)
    kubelet.pod = pod(ended=0)
    lines = await reader
    assert lines[0] == f"── {words} ──"
    assert lines.count(lines[0]) == 1
    assert "a" in lines


@pytest.mark.parametrize("follow", [True, False])
async def test_log_that_there_never_was_is_told_in_words(faulty: FaultyServer, tmp_path: Path, follow: bool) -> None:
    words = 'previous terminated container "web" in pod "web" not found'
    Kubelet(faulty, [waiting(words)])
    with pytest.raises(NotFound, match=words):
        await read(faulty, tmp_path, follow=follow)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ((403, status(403, "Forbidden", "no")), Denied),
        ((404, status(404, "NotFound", "no")), NotFound),
        ((500, status(500, "InternalError", "dial tcp: i/o timeout")), Unreachable),
    ],
)
@pytest.mark.parametrize("follow", [True, False])
async def test_refusals_are_errors(
    faulty: FaultyServer, tmp_path: Path, said: tuple[int, Any], error: type[OutsideError], follow: bool
) -> None:
    Kubelet(faulty, [said])
    with pytest.raises(error):
        await read(faulty, tmp_path, follow=follow)


async def test_missing_right_names_itself(faulty: FaultyServer, tmp_path: Path) -> None:
    Kubelet(faulty, [(403, status(403, "Forbidden", "no"))])
    with pytest.raises(Denied) as denied:
        await read(faulty, tmp_path)
    assert denied.value.hint == "Grant the verb get on pods/log in namespace n."


async def test_absent_pod_and_container_are_not_found(faulty: FaultyServer, tmp_path: Path) -> None:
    kubelet = Kubelet(faulty, [says(line(1, "a"))])
    with pytest.raises(NotFound, match="no container sidecar"):
        await read(faulty, tmp_path, container="sidecar")
    kubelet.pod = None
    with pytest.raises(NotFound):
        await read(faulty, tmp_path)
    assert kubelet.asked == []


async def test_default_container_is_kubectls(faulty: FaultyServer, tmp_path: Path) -> None:
    kubelet = Kubelet(faulty, [says(line(1, "a"))])
    kubelet.pod = pod(names=("proxy", "web"))
    kubelet.pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "web"}
    await read(faulty, tmp_path, follow=False)
    assert kubelet.asked[0]["container"] == "web"


async def test_log_alone_may_be_read(faulty: FaultyServer, tmp_path: Path) -> None:
    """Without the right to get pods, a log ends when the server ends it."""
    kubelet = Kubelet(faulty, [says(line(1, "a"))])

    async def script(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/log"):
            return await kubelet._answer(request)
        return answer(403, status(403, "Forbidden", "no"))

    faulty.script = script
    assert await read(faulty, tmp_path) == ["a", "── the log ended ──"]
    assert "container" not in kubelet.asked[0]


async def test_log_that_never_ends_and_is_not_followed_is_late(faulty: FaultyServer, tmp_path: Path) -> None:
    Kubelet(faulty, [says(line(1, "a"), then="hang")])
    with pytest.raises(DeadlineExceeded):
        await read(faulty, tmp_path, LogTimes(whole=0.2), follow=False)


async def test_kubelets_own_words_are_shown(faulty: FaultyServer, tmp_path: Path) -> None:
    Kubelet(faulty, [says(b"unable to retrieve container logs for containerd://12")])
    assert await read(faulty, tmp_path, follow=False) == ["unable to retrieve container logs for containerd://12"]


async def test_hostile_lines_are_neutralised(faulty: FaultyServer, tmp_path: Path) -> None:
    attack = "\x1b]52;c;ZWNobw==\x07 \x1b[2J \u202eevil \x1b[31mred\x1b[0m"
    Kubelet(faulty, [says(line(1, attack))])
    (text,) = await read(faulty, tmp_path, follow=False)
    assert text == f"{BAD}]52;c;ZWNobw=={BAD} {BAD}[2J {BAD}evil red"


async def test_flood_waits_for_its_reader(faulty: FaultyServer, tmp_path: Path) -> None:
    """50,000 lines and a reader that stops: the server waits, memory stays, and no line is lost."""
    written = 0

    async def flood(request: web.Request, response: web.StreamResponse) -> None:
        nonlocal written
        for start in range(0, 50_000, 100):
            part = b"".join(line(1 + number // 1000, f"{number} {'x' * 500}") for number in range(start, start + 100))
            await response.write(part)
            written += 100
        await response.write_eof()

    kubelet = Kubelet(faulty, [flood])
    kubelet.pod = pod(ended=0)
    numbers: list[int] = []
    async with asyncio.timeout(60), faulty.client(tmp_path) as client:
        reader = LogReader(client, PODS, LogQuery("web"), TIMES)
        async with aclosing(reader.batches()) as batches:
            first = await anext(batches)
            numbers += _numbers(first)
            tracemalloc.start()
            before = -1
            while written != before:
                before = written
                await asyncio.sleep(0.2)
            assert written < 45_000
            async for batch in batches:
                numbers += _numbers(batch)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert numbers == list(range(50_000))
    assert peak < 16 * 2**20


def _numbers(batch: tuple[str, ...]) -> list[int]:
    return [int(text.split()[0]) for text in batch if text[0].isdigit()]


async def test_closing_the_reader_ends_the_connection(faulty: FaultyServer, tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def said(_: web.Request, response: web.StreamResponse) -> None:
        try:
            while True:
                await response.write(line(1, "a"))
                await asyncio.sleep(0.01)
        except ConnectionError:
            gone.set()

    Kubelet(faulty, [said])
    async with asyncio.timeout(20), faulty.client(tmp_path) as client:
        async with aclosing(LogReader(client, PODS, LogQuery("web"), TIMES).batches()) as batches:
            assert (await anext(batches))[0] == "a"
        await gone.wait()


async def test_several_restarts_meanwhile_are_said(faulty: FaultyServer, tmp_path: Path) -> None:
    async def said(request: web.Request, response: web.StreamResponse) -> None:
        kubelet.pod = pod(restarts=2)
        await says(line(1, "a"), then="cut")(request, response)

    kubelet = Kubelet(faulty, [said])
    lines = await read(faulty, tmp_path)
    assert lines[:2] == ["a", "── the rest of this container's log is no longer kept ──"]
    assert len(kubelet.asked) == 1
