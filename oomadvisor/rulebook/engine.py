"""The adapter to durable-rules, and the only module that imports it.

Of its C extension five calls are used, in an order that was proven safe (docs/engine.md A9): ``create_ruleset``,
``assert_fact``, ``start_action_for_state``, ``complete_and_start_action``, ``delete_state``; and ``delete_ruleset`` for
rulesets whose engine is gone. Where the extension cannot be loaded the naive matcher serves.

::

    EngineUnavailableError    the backend that was asked for does not load
"""

import json
import threading
import weakref
from collections.abc import Collection, Iterator, Sequence
from itertools import count
from typing import Any, Literal

from oomadvisor.rulebook.condition import Absent
from oomadvisor.rulebook.inference import (
    Firing,
    Inference,
    Match,
    PlainMatching,
    Strata,
    TooManyMatchesError,
    infer,
)
from oomadvisor.rulebook.kinds import Fact, Kinds
from oomadvisor.rulebook.rule import Rule
from oomadvisor.rulebook.shards import ABSENT, START, Shard, compared_fields, cut, fact_json

try:
    import durable_rules_engine as _durable

    _WHY_NOT = ""
except ImportError as fault:
    _durable = None
    _WHY_NOT = str(fault)

Backend = Literal["durable", "matcher"]

REMEDY = 'CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject" pip install --no-cache-dir --force-reinstall durable-rules'
HANDLED, NOBODY_CARES, SEEN_BEFORE = 0, 1, 2


class EngineUnavailableError(RuntimeError):
    """The backend that was asked for does not load."""


def engine_name() -> str:
    """Return which backend serves by default, and why when it is not durable-rules."""
    if _durable is None:
        return f"plain matcher, because durable-rules does not load ({_WHY_NOT or 'not installed'})"
    # Imported here, because it takes longer to load than the rules, and only this name needs it.
    from importlib import metadata

    try:
        return f"durable-rules {metadata.version('durable-rules')}"
    except metadata.PackageNotFoundError:
        return "durable-rules"


def default_warnings() -> tuple[str, ...]:
    """Return what a user must be told about the default backend: nothing, or the one line that mends it."""
    return () if _durable is not None else (f"{engine_name()}; the results are the same. To mend it: {REMEDY}",)


class Engine:
    """Matches ``rules`` against facts. One engine serves many runs, and several threads one after another.

    ``backend`` None takes durable-rules, or the matcher where that does not load (``warnings`` says so then).
    Raises ``NegationCycleError`` for rules that wait for each other, and :class:`EngineUnavailableError` when
    ``backend="durable"`` does not load.
    """

    def __init__(self, rules: Sequence[Rule], kinds: Kinds, *, backend: Backend | None = None) -> None:
        if backend == "durable" and _durable is None:
            raise EngineUnavailableError(f"durable-rules does not load ({_WHY_NOT}); to mend it: {REMEDY}")
        self.backend: Backend = backend or ("durable" if _durable is not None else "matcher")
        self.warnings = default_warnings() if backend is None else ()
        self._strata = Strata(rules)
        self._kinds = kinds
        self._compared = compared_fields(rules)
        self._rulesets: dict[frozenset[int], _Rulesets] = {}
        self._lock = threading.Lock()

    def run(self, facts: Sequence[Fact], only: Collection[str] | None = None) -> list[Firing]:
        """Return all firings in the order of the rules; see :meth:`infer`."""
        return list(self.infer(facts, only).firings)

    def infer(self, facts: Sequence[Fact], only: Collection[str] | None = None) -> Inference:
        """Return firings, derived facts and warnings. ``only``: ids of the rules that apply (None: all of them).

        A rule that would match in more than 20 000 ways is left out, with a warning.
        """
        leave_out: frozenset[int] = frozenset()
        while True:
            try:
                result = self._infer(facts, only, leave_out)
                break
            except TooManyMatchesError as fault:
                leave_out |= fault.rules
        left = [self._strata.rules[place].id for place in sorted(leave_out)]
        told = tuple(f"rule {rule} fits too many combinations of facts and was left out" for rule in left)
        return Inference(result.firings, result.derived, result.warnings + told)

    def _infer(self, facts: Sequence[Fact], only: Collection[str] | None, leave_out: frozenset[int]) -> Inference:
        if self.backend == "matcher" or any(self._lacks_compared(fact) for fact in facts):
            plain = PlainMatching(self._strata.rules, leave_out)
            return infer(self._strata, self._kinds, plain, facts, only, leave_out)
        with self._lock:
            session = _Session(self._compiled(leave_out), tuple(self._strata.absences))
            try:
                result = infer(self._strata, self._kinds, session, facts, only, leave_out)
            except BaseException:
                # The state of the session is unknown: never touch it again (A3, 5 and 6). 1025 of them would crash.
                self._rulesets.clear()
                raise
            session.close()
            return result

    def _lacks_compared(self, fact: Fact) -> bool:
        # Only facts of rule tests can lack a required field.
        names = self._compared.get(fact.kind)
        return names is not None and not names <= fact.values().keys()

    def _compiled(self, leave_out: frozenset[int]) -> "_Rulesets":
        if leave_out not in self._rulesets:
            self._rulesets.clear()
            shards = cut(self._strata.rules, tuple(self._strata.absences), leave_out)
            self._rulesets[leave_out] = _Rulesets(shards)
        return self._rulesets[leave_out]


class _Rulesets:
    """The shards of an engine inside the extension."""

    def __init__(self, shards: list[Shard]) -> None:
        self.shards = shards
        self.handles = [_durable.create_ruleset(f"shard{n}", shard.json()) for n, shard in enumerate(shards)]
        self.sessions = count(1)  # numbered: sessions are told apart by a 32-bit hash of their names (A3, 33)
        weakref.finalize(self, _delete, tuple(self.handles))


def _delete(handles: tuple[int, ...]) -> None:
    for handle in handles:
        _durable.delete_ruleset(handle)


class _Session:
    """One run inside the extension: a state in every shard."""

    def __init__(self, rulesets: _Rulesets, absences: tuple[Absent, ...]) -> None:
        self.rulesets = rulesets
        self.number_of = {absent: number for number, absent in enumerate(absences)}
        self.sid = str(next(rulesets.sessions))
        self.facts = 0
        self.states: list[int] = []
        for handle in rulesets.handles:
            # delete_state is only safe in a session where some action has run (A3, 4).
            self.states.append(self._assert(handle, {"kind": START, "sid": self.sid}))
            list(self._drain(len(self.states) - 1))

    def add(self, facts: Sequence[Fact], absent: Sequence[Absent]) -> Iterator[Match]:
        """Yield the matches that ``facts`` and the absence of ``absent`` make possible, shard by shard."""
        first = self.facts
        self.facts += len(facts)
        for place, (shard, handle) in enumerate(zip(self.rulesets.shards, self.rulesets.handles, strict=True)):
            touched = False
            for number, fact in enumerate(facts, first):
                fields = shard.fields.get(fact.kind)
                if fields is not None:
                    self._assert(handle, fact_json(fact, fields, self.sid, number))
                    touched = True
            for one in absent if ABSENT in shard.fields else ():
                of = self.number_of[one]
                self._assert(handle, {"kind": ABSENT, "of": of, "sid": self.sid, "fid": -1 - of})
                touched = True
            if touched:
                yield from self._drain(place)

    def close(self) -> None:
        """Give the states back."""
        for handle in self.rulesets.handles:
            _durable.delete_state(handle, self.sid)

    def _assert(self, handle: int, fact: dict[str, Any]) -> int:
        code, state = _durable.assert_fact(handle, json.dumps(fact))
        for salt in range(100):
            if code != SEEN_BEFORE:
                break
            # Facts are told apart by a 32-bit hash of their content (A3, 32): another content, another hash.
            code, state = _durable.assert_fact(handle, json.dumps({**fact, "salt": salt}))
        if code not in (HANDLED, NOBODY_CARES):
            raise RuntimeError(f"durable-rules answered {code} to a fact of kind {fact['kind']}")
        return int(state)

    def _drain(self, place: int) -> Iterator[Match]:
        handle, state = self.rulesets.handles[place], self.states[place]
        started = _durable.start_action_for_state(handle, state)
        action = started[1] if started else None
        while action:
            for name, frame in json.loads(action).items():
                if name != START[1:]:
                    rule, _, way = name[1:].partition("w")
                    found = sorted((int(alias[1:]), fact["fid"]) for alias, fact in frame.items())
                    yield Match(int(rule), int(way), tuple(fid for _, fid in found if fid >= 0))
            action = _durable.complete_and_start_action(handle, state)
