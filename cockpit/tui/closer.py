"""What a closer look does: the use cases behind the keys of the pods, workloads and command lists."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from cockpit.errors import CockpitError, NotFound, Unreachable
from widgets.formatting import pod_mark
from widgets.lines import Tone
from widgets.pods_pane import by_urgency

if TYPE_CHECKING:
    from cockpit.model.cluster import Pod
    from cockpit.model.lens import DescribedKind
    from cockpit.tui.lens import Lens
    from cockpit.tui.screens.main import CommanderScreen


async def lens_of(main: CommanderScreen) -> Lens:
    """The screen's lens; raises CockpitError."""
    if main.looking is None:
        raise Unreachable("This screen has no line of its own to the cluster.", "Attach again: cockpit attach")
    return await main.looking.lens()


def work(main: CommanderScreen, what: Coroutine[Any, Any, None]) -> None:
    """Do something beside the screen; an error a person may meet is said."""
    main.run_worker(_said(main, what), group="look", exit_on_error=False, exclusive=False)


async def _said(main: CommanderScreen, what: Coroutine[Any, Any, None]) -> None:
    try:
        await what
    except CockpitError as error:
        text = f"{error}\n→ {error.hint}" if error.hint else str(error)
        main.notify(text, title=error.title, severity="error", timeout=15)


def ask_choice(
    main: CommanderScreen, title: str, rows: Sequence[tuple[str, str]], then: Callable[[str], object]
) -> None:
    """Let a person choose one of (value, words)."""
    from cockpit.tui.dialogs.choice import ChoiceDialog

    def chosen(value: str | None) -> None:
        if value is not None:
            then(value)

    main.app.push_screen(ChoiceDialog(main, title, rows), chosen)


def show_logs(main: CommanderScreen, pod: str, container: str | None = None) -> None:
    """Open the log of a pod."""
    from cockpit.tui.screens.logs import LogsScreen

    main.open(LogsScreen(main, pod, container))


def show_description(main: CommanderScreen, kind: DescribedKind, name: str) -> None:
    """Open the description of an object."""
    from cockpit.tui.screens.describe import DescribeScreen

    main.open(DescribeScreen(main, kind, name))


def logs_of_the_worst(main: CommanderScreen) -> None:
    """The log of the pod in trouble; else the pods, to choose one."""
    pods = by_urgency(main.pods.pods) if main.pods else []
    if pods and pod_mark(pods[0].status, pods[0].healthy).tone is Tone.BAD:
        show_logs(main, pods[0].name)
    else:
        main.open_pods()


def pods_of(main: CommanderScreen, kind: DescribedKind, name: str) -> list[Pod]:
    """The run's pods that a Deployment or a Job made, by their names, trouble first."""
    tail = {"deployment": r"-[a-z0-9]+-[a-z0-9]{5}", "job": r"-[a-z0-9]{5}"}.get(kind)
    if tail is None or main.pods is None:
        return []
    pattern = re.compile(re.escape(name) + tail)
    return by_urgency([pod for pod in main.pods.pods if pattern.fullmatch(pod.name)])


def with_pod_of(
    main: CommanderScreen, kind: DescribedKind, name: str, then: Callable[[str], object], *, ask: bool = False
) -> None:
    """Do something with the first pod in trouble, else the first ready one, of an object; or ask which."""
    pods = pods_of(main, kind, name)
    if not pods:
        main.notify(
            f"None of the run's pods belongs to {kind} {name}.\n→ d describes it.", severity="warning", timeout=6
        )
    elif ask and len(pods) > 1:
        rows = [(pod.name, f"{pod_mark(pod.status, pod.healthy).glyph} {pod.name}  {pod.status}") for pod in pods]
        ask_choice(main, f"PODS OF {name}", rows, then)
    else:
        bad = pod_mark(pods[0].status, pods[0].healthy).tone is Tone.BAD
        then(pods[0].name if bad else next((pod.name for pod in pods if pod.healthy), pods[0].name))


def open_shell(main: CommanderScreen, pod: str) -> None:
    """A shell in a pod; with several containers the person chooses one."""
    work(main, _open_shell(main, pod))


async def _open_shell(main: CommanderScreen, pod: str) -> None:
    lens = await lens_of(main)
    containers = await lens.containers(pod)
    if not containers:
        raise NotFound(f"{pod} has no container.", "Look at it: d")
    if len(containers) == 1:
        _ask_shell(main, lens, pod, containers[0])
    else:
        rows = [(name, name) for name in containers]
        ask_choice(main, f"SHELL IN WHICH CONTAINER OF {pod}?", rows, lambda name: _ask_shell(main, lens, pod, name))


def _ask_shell(main: CommanderScreen, lens: Lens, pod: str, container: str) -> None:
    from cockpit.tui.programs import Program, ask_aside

    argv = lens.shell(pod, container)
    ask_aside(main, Program(f"shell in {pod} / {container}", tuple(argv), interactive=True, of_run=True))


def new_forward(main: CommanderScreen, target: str) -> None:
    """Ask for the ports of a port-forward and open it."""
    from cockpit.tui.dialogs.forward import ForwardDialog, Ports

    def asked(ports: Ports | None) -> None:
        if ports is not None:
            work(main, _forward(main, ports))

    async def _forward(main: CommanderScreen, ports: Ports) -> None:
        lens = await lens_of(main)
        state = await lens.forward(ports.target, ports.remote, ports.local)
        await main.note(f"Port-forward opened: 127.0.0.1:{state.local_port} to {state.target} port {state.remote_port}")
        main.notify(f"http://127.0.0.1:{state.local_port} → {state.pod}:{state.remote_port}", title="Forwarding")
        show_forwards(main)

    main.app.push_screen(ForwardDialog(main, target), asked)


def show_forwards(main: CommanderScreen) -> None:
    """Open the list of the port-forwards, unless it is in sight."""
    from cockpit.tui.screens.forwards import ForwardsScreen

    if not isinstance(main.app.screen, ForwardsScreen):
        main.open(ForwardsScreen(main))


async def read_again(
    read: Callable[[], Awaitable[None]], wanted: Callable[[], bool], hurry: asyncio.Event, every: float
) -> None:
    """Read for ever, every so many seconds and at once when hurried, while it is wanted."""
    while True:
        hurry.clear()
        if wanted():
            await read()
        try:
            async with asyncio.timeout(every):
                await hurry.wait()
        except TimeoutError:
            continue
