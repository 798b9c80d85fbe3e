"""What the checks stand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cockpit.model.text import clean
from cockpit.runbook.load import LoadedRunbook
from cockpit.runbook.schema import Runbook
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.yaml_tree import Tree, parse

if TYPE_CHECKING:
    from cockpit.adapters.kubernetes.hygiene import Kubeconfig
    from cockpit.adapters.open import Adapters


@dataclass(frozen=True, slots=True)
class Ground:
    """The runbook, its secrets, the kubeconfig (None inside a cluster) and the adapters that a run would use."""

    loaded: LoadedRunbook
    secrets: SecretStore
    outside: Adapters
    kubeconfig: Kubeconfig | None
    variables: tuple[str, ...] = ()
    _tree: list[Tree] = field(default_factory=list)

    @property
    def book(self) -> Runbook:
        """The runbook."""
        return self.loaded.runbook

    @property
    def namespace(self) -> str:
        """The application's namespace."""
        return self.book.cluster.namespace

    def line(self, *path: str | int) -> str:
        """Where a field of the runbook stands, as file:line."""
        if not self._tree:
            self._tree.append(parse(self.loaded.text))
        return f"{clean(str(self.loaded.path))}:{self._tree[0].line(path)}"

    def command(self, command: str) -> str:
        """A `cockpit` command on this very runbook, with its variables."""
        given = "".join(f" --var {clean(each)}" for each in self.variables)
        return f"cockpit {command} {clean(str(self.loaded.path))}{given}"
