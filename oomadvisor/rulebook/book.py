"""The rule book: all checked rules in order, and which of them apply to a kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from oomadvisor.rulebook.errors import Severity
from oomadvisor.rulebook.rule import Rule

Skips = tuple[tuple[str, str], ...]
"""Rule ids with the reason why each does not apply."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Rule files of one origin: file names as the user knows them, with their content.

    ``proofs``: what it is when one of its rules lacks a source or a test (None: nothing).
    """

    name: str
    files: Sequence[tuple[str, str | bytes]]
    proofs: Severity | None = None


@dataclass(frozen=True)
class RuleBook:
    """All rules that could be checked, disabled ones included, in the order in which they were written."""

    rules: tuple[Rule, ...] = ()

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, rule_id: str) -> Rule:
        """Return the rule called ``rule_id``. Raises ``KeyError``."""
        return self._by_id[rule_id]

    @cached_property
    def _by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def applicable(
        self, kernel_version: tuple[int, ...], arch: str | None, build: Mapping[str, bool | None] | None = None
    ) -> tuple[tuple[Rule, ...], Skips]:
        """Return the rules for a kernel, architecture and build, and the others with the reason.

        An empty version means that the kernel is not known: rules that name versions do not apply then. Likewise for
        a feature of ``build`` that is missing or None.
        """
        reasons = [(rule, why_skipped(rule, kernel_version, arch, build or {})) for rule in self.rules]
        return (
            tuple(rule for rule, reason in reasons if reason is None),
            tuple((rule.id, reason) for rule, reason in reasons if reason is not None),
        )


def why_skipped(rule: Rule, version: tuple[int, ...], arch: str | None, build: Mapping[str, bool | None]) -> str | None:
    """Return why ``rule`` takes no part on such a kernel, or None when it does."""
    kernel = rule.applies.kernel
    if not rule.enabled:
        by = rule.changed_by[-1][0] if rule.changed_by else rule.pack
        return f"disabled ({by})" if by else "disabled"
    if kernel is not None and not version:
        return f"for kernel {kernel}; this report does not tell its version"
    if kernel is not None and not kernel.contains(version):
        return f"for kernel {kernel}; this is {'.'.join(map(str, version))}"
    if rule.applies.arch and arch not in rule.applies.arch:
        return f"for {' or '.join(rule.applies.arch)}; " + (f"this is {arch}" if arch else "this report does not tell")
    for feature, wanted in rule.applies.build.items():
        has = build.get(feature)
        if has is not wanted:
            here = "this report does not tell" if has is None else f"this one is built {_built(feature, has)}"
            return f"for kernels built {_built(feature, wanted)}; {here}"
    return None


def _built(feature: str, has: bool) -> str:
    return f"{'with' if has else 'without'} {feature.upper()}"
