"""What a program's argv says about it: whether it needs a terminal, and whether it may change something. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import PurePath

_KUBECTL_VALUES = frozenset((
      "-n", "--namespace", "--context", "--cluster", "--user", "--kubeconfig", "-s", "--server", "--token", "--as",
      "--as-group", "--as-uid", "--request-timeout", "--cache-dir", "--certificate-authority", "--client-certificate",
      "--client-key", "--tls-server-name", "-v", "--v", "--profile", "--profile-output", "--log-file", "--vmodule",
))  # fmt: skip
_KUBECTL_READS = frozenset((
      "get", "describe", "logs", "top", "explain", "version", "api-resources", "api-versions", "cluster-info", "diff",
      "events", "wait", "port-forward", "options", "completion", "kustomize",
))  # fmt: skip
_SECOND_WORDS = {
    "rollout": frozenset({"status", "history"}),
    "auth": frozenset({"can-i", "whoami"}),
    "config": frozenset({"view", "current-context", "get-contexts", "get-clusters", "get-users"}),
    "plugin": frozenset({"list"}),
}
_HELM_READS = frozenset((
      "list", "ls", "status", "get", "history", "show", "search", "version", "env", "template", "lint",
))  # fmt: skip
_READERS = frozenset((
      "cat", "date", "df", "dig", "echo", "false", "free", "getent", "grep", "head", "host", "hostname", "id", "jq",
      "ls", "nslookup", "ping", "ps", "stat", "tail", "test", "true", "uname", "uptime", "wc", "whoami",
))  # fmt: skip
_CURL_METHOD = re.compile(r"(?:--request(?:=|\Z)|-[A-Za-z]*?X)(.*)")
_CURL_DATA = re.compile(r"--(?:data|form|upload-file|json)|-[A-Za-z]*[dFT]")
_CURL_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_ATTACHING = frozenset({"exec", "attach", "run", "debug"})
_OTHER_CLUSTER = ("--kubeconfig", "--server", "-s", "--context", "--cluster", "--token")


class Effect(StrEnum):
    """What running a program can do, as far as its argv tells."""

    READS = "reads"
    CHANGES = "changes"
    UNKNOWN = "unknown"


def effect(argv: Sequence[str]) -> Effect:
    """Whether the program only reads. What is not known to read is never taken for it."""
    name = PurePath(argv[0]).name
    if name == "kubectl":
        return _kubectl(argv)
    if name == "helm":
        verb = next(_words(argv[1:], _KUBECTL_VALUES), "")
        return Effect.READS if verb in _HELM_READS else Effect.CHANGES
    if name == "curl":
        return Effect.CHANGES if _curl_sends(argv[1:]) else Effect.READS
    return Effect.READS if name in _READERS else Effect.UNKNOWN


def needs_terminal(argv: Sequence[str]) -> bool:
    """Whether the program wants to talk with a person: `kubectl exec -it` and its kin, `kubectl edit`."""
    if PurePath(argv[0]).name != "kubectl":
        return False
    words = _words(argv[1:], _KUBECTL_VALUES)
    verb = next(words, "")
    return verb == "edit" or (verb in _ATTACHING and _asks_for_tty(argv))


def leaves_simulator(argv: Sequence[str]) -> bool:
    """Whether a rehearsal's environment would not keep the program inside the simulator."""
    if PurePath(argv[0]).name != "kubectl":
        return True
    flags = _before_dashes(argv[1:])
    return any(flag == other or flag.startswith(f"{other}=") for flag in flags for other in _OTHER_CLUSTER)


def _kubectl(argv: Sequence[str]) -> Effect:
    words = _words(argv[1:], _KUBECTL_VALUES)
    verb = next(words, "")
    if verb in _KUBECTL_READS or not verb:
        return Effect.READS
    if verb in _SECOND_WORDS and next(words, "") in _SECOND_WORDS[verb]:
        return Effect.READS
    return Effect.UNKNOWN if verb in ("exec", "attach", "debug", "cp", "proxy") else Effect.CHANGES


def _curl_sends(arguments: Sequence[str]) -> bool:
    methods = [
        found.group(1) or (*arguments, "")[at + 1]
        for at, argument in enumerate(arguments)
        if (found := _CURL_METHOD.fullmatch(argument))
    ]
    if methods:
        return any(method.upper() not in _CURL_READS for method in methods)
    return any(_CURL_DATA.match(argument) for argument in arguments)


def _asks_for_tty(argv: Sequence[str]) -> bool:
    for flag in _before_dashes(argv[1:]):
        if flag in ("--tty", "--tty=true"):
            return True
        if flag.startswith("-") and not flag.startswith("--") and "t" in flag.split("=")[0] and len(flag) <= 3:
            return True
    return False


def _before_dashes(arguments: Sequence[str]) -> Sequence[str]:
    return arguments[: list(arguments).index("--")] if "--" in arguments else arguments


def _words(arguments: Sequence[str], valued: frozenset[str]) -> Iterator[str]:
    """The arguments that are neither flags nor the values of the flags in `valued`."""
    rest = iter(_before_dashes(arguments))
    for argument in rest:
        if argument in valued:
            next(rest, None)
        elif not argument.startswith("-"):
            yield argument
