"""What a request leaves behind on its way through the allocator: one value for each step."""

from dataclasses import dataclass

from oomadvisor.kernel.gfp import Alloc

__all__ = [
    "AllocatedFrom",
    "AllocationFailureMessage",
    "CongestionWait",
    "DirectReclaim",
    "Event",
    "KswapdWake",
    "OomKill",
    "RmqueueFail",
    "ScriptEnd",
    "WatermarkTest",
]


@dataclass(frozen=True, slots=True)
class WatermarkTest:
    """A zone was tested at a mark. ``class_zone`` 0 with no flags is the question whether kswapd is needed."""

    zone: str
    order: int
    mark: int
    class_zone: int
    alloc_flags: Alloc
    ok: bool


@dataclass(frozen=True, slots=True)
class KswapdWake:
    """kswapd was woken for a zone, to work towards ``order``."""

    zone: str
    order: int


@dataclass(frozen=True, slots=True)
class DirectReclaim:
    """The task reclaimed by itself and freed ``progress`` pages."""

    progress: int


@dataclass(frozen=True, slots=True)
class CongestionWait:
    """The task slept for up to 20 ms before it tried again."""


@dataclass(frozen=True, slots=True)
class OomKill:
    """The OOM killer was called."""


@dataclass(frozen=True, slots=True)
class AllocatedFrom:
    """The request was served."""

    zone: str


@dataclass(frozen=True, slots=True)
class RmqueueFail:
    """The zone passed (or was not tested) but has no block; for order > 0 its counter was lowered all the same."""

    zone: str


@dataclass(frozen=True, slots=True)
class AllocationFailureMessage:
    """The kernel printed ``page allocation failure``."""


@dataclass(frozen=True, slots=True)
class ScriptEnd:
    """The scripted story ended while the kernel was still trying."""


Event = (
    WatermarkTest
    | KswapdWake
    | DirectReclaim
    | CongestionWait
    | OomKill
    | AllocatedFrom
    | RmqueueFail
    | AllocationFailureMessage
    | ScriptEnd
)
