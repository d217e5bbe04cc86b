"""The value for a fleet as a plan, so that it is exported like a single fix, with its counts as the reasons."""

from oomadvisor.fleet.choice import Choice
from oomadvisor.fleet.solve import Solved
from oomadvisor.model import KernelRelease
from oomadvisor.model.plan import LeftOut, Plan, Setting, Step
from oomadvisor.model.verification import VerificationClass
from oomadvisor.present import fleet_words as words


class NotExportable(ValueError):
    """There is nothing that could be written for the whole fleet; the text says why."""


def fleet_plan(solved: Solved, *, force: bool = False) -> Plan:
    """Return the plan. Raises NotExportable when no value helps, and, without ``force``, for one that harms as many as
    it helps; also for a zone's ratio when the boxes differ in those that are written along.
    """
    choice = solved.choice
    if choice is None:
        raise NotExportable(words.no_choice_words(solved).rstrip("."))
    if not choice.good and not force:
        counts = choice.point.counts
        raise NotExportable(
            f"{choice.knob.name} = {choice.point.value} helps {counts.helped} and harms {counts.hurt}; with --force it "
            "is written all the same"
        )
    if len(solved.below) > 1:
        raise NotExportable(
            f"the boxes differ in the ratios of the zones below {choice.knob.zone}, which are written with it; "
            "select some with --label or --where"
        )
    value = " ".join(map(str, (*(below for row in solved.below for below in row), choice.point.value)))
    fix = f"fleet-{choice.knob.sysctl.removeprefix('vm.').replace('_', '-')}"
    setting = Setting(name=choice.knob.sysctl, value=value, before=_before(solved), restore=_restore(solved), fix=fix)
    step = Step(
        id=fix,
        title=f"one value for {words.plural(solved.incidents, 'incident')}",
        kind="sysctl",
        horizon="now",
        class_=_class(choice),
        why=" ".join(_why(solved, choice)),
        settings=(setting,),
    )
    return Plan(
        horizon="now",
        about=f"Solved over a fleet of {words.plural(solved.incidents, 'incident')} in its logs, each replayed.",
        kernel=_kernel(solved),
        steps=(step,),
        left_out=tuple(
            LeftOut(
                id=one.signature,
                title=one.signature_text,
                reason=f"{one.count} x {one.signature_text}: {one.class_}. Instead: {words.unhelped_words(one)}",
            )
            for one in solved.unhelped[: words.MOST_UNHELPED]
        ),
        forced=not choice.good,
    )


def _class(choice: Choice) -> VerificationClass:
    """Return the class of the whole: that of every incident where they agree, else between the best and the worst."""
    counts = choice.point.counts
    if counts.hurt >= counts.helped:
        return "harmful"
    if counts.certain == counts.cases and not counts.harmed:
        return "certain"
    return "bounded"


def _why(solved: Solved, choice: Choice) -> list[str]:
    said = [f"{words.result_words(choice.point.counts)}."]
    said += [*words.reasons(solved), *words.warnings(solved)]
    if choice.point.kept is not None:
        said.append(words.price_words(choice, choice.point.kept))
    return said


def _before(solved: Solved) -> str | None:
    """Return what the boxes have now, in words."""
    if not solved.present:
        return None
    (low, high), count = solved.present[0]
    others = len(solved.present) - 1
    most = words.range_words(low, high)
    return most if not others and not solved.present_unknown else f"{most} at {count} of {solved.incidents}"


def _restore(solved: Solved) -> str | None:
    """Return the value that brings all boxes back, where they all have the same."""
    if solved.knob.zone is not None or len(solved.present) != 1 or solved.present_unknown:
        return None
    return str(solved.present[0][0][0])


def _kernel(solved: Solved) -> KernelRelease:
    """Return the release that the whole fleet has: the name that all share, else the numbers that they begin with."""
    names = [name for name, _ in solved.kernels]
    if len(names) == 1 and names[0] != "unknown":
        return KernelRelease(version=_numbers(names[0]), text=names[0], source="log")
    shared: list[int] = []
    for numbers in zip(*map(_numbers, names), strict=False):
        if len(set(numbers)) > 1:
            break
        shared.append(numbers[0])
    version = tuple(shared) if len(shared) >= 2 else ()
    return KernelRelease(version=version, text=".".join(map(str, version)), source="forms" if version else "unknown")


def _numbers(name: str) -> tuple[int, ...]:
    """Return the leading numbers of a release.

    >>> _numbers("2.6.31.12-ER1"), _numbers("unknown")
    ((2, 6, 31, 12), ())
    """
    found: list[int] = []
    for word in name.split("-")[0].split("."):
        digits = word if word.isdecimal() and word.isascii() and len(word) < 6 else ""
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)
