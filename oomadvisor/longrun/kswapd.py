"""kswapd: woken below LOW, it works towards HIGH at the order that was asked for, and sleeps between its passes."""

from collections.abc import Iterator, Sequence

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.reclaim import DEF_PRIORITY, SWAP_CLUSTER_MAX
from oomadvisor.longrun.clock import Clock
from oomadvisor.longrun.livezone import LiveZone
from oomadvisor.longrun.shrink import Shrinker

CONGESTION_WAIT_US = 100_000
ASLEEP = -1
NOTHING_TO_GET = -2
PLENTY = 8


class Kswapd:
    """The thread, as a story that is told in steps: each step ends with how long it sleeps.

    ``rounds`` counts how often it started over (pageoutrun in /proc/vmstat). A round that got nothing at all is not
    repeated before something else has happened: the real thread spins there, at the cost of the CPU, to the same end.
    """

    def __init__(self, zones: Sequence[LiveZone], shrinker: Shrinker, clock: Clock, family: Family, bits: int) -> None:
        self.zones = zones
        self.shrinker = shrinker
        self.clock = clock
        self.zone_watermark_ok = family.zone_watermark_ok
        self.bits = bits
        self.rounds = 0
        self._wanted = 0
        self._resume_us: int | None = None
        self._stuck = False
        self._story = self._live()
        next(self._story)

    def wakeup_kswapd(self, zones: Sequence[LiveZone], order: int) -> None:
        """Wake it when a zone is below LOW (mm/vmscan.c: wakeup_kswapd, 2.6.31); it runs when the task sleeps."""
        for zone in zones:
            if not self._ok(zone, order, zone.marks.low, 0):
                self._wanted = max(self._wanted, order)
                if self._resume_us is None:
                    self._resume_us = self.clock.now_us

    def run(self, until_us: int) -> None:
        """Let it work until ``until_us``, and move the clock there."""
        if self._stuck and self._resume_us is not None:
            self._stuck = False
            self._resume_us = self.clock.now_us
        while self._resume_us is not None and self._resume_us <= until_us and not self._stuck:
            self.clock.reach(self._resume_us)
            pause = next(self._story)
            if pause == ASLEEP:
                self._resume_us = None
            elif pause == NOTHING_TO_GET:
                self._stuck = True
            else:
                self._resume_us = self.clock.now_us + pause
        self.clock.reach(until_us)

    def preempt(self) -> None:
        """Let it run if it was woken: it has slept, so it comes first when the task returns from a fault or a call."""
        if self._resume_us is not None and self._resume_us <= self.clock.now_us and not self._stuck:
            self.run(self.clock.now_us)

    def _ok(self, zone: LiveZone, order: int, mark: int, class_zone: int) -> bool:
        return self.zone_watermark_ok(
            zone.free_pages, zone.buddy.nr_free, order, mark, zone.reserve[class_zone], bits=self.bits
        )

    def _live(self) -> Iterator[int]:
        """Sleep, and balance at the largest order asked for meanwhile (mm/vmscan.c: kswapd, 2.6.31)."""
        order = 0
        while True:
            wanted, self._wanted = self._wanted, 0
            if order < wanted:
                order = wanted
            else:
                yield ASLEEP
                order = self._wanted
            yield from self._balance(order)

    def _balance(self, order: int) -> Iterator[int]:
        """Go over the zones until each passes HIGH (mm/vmscan.c: balance_pgdat, 2.6.31)."""
        while True:
            self.rounds += 1
            total = scanned = 0
            balanced = False
            for priority in range(DEF_PRIORITY, -1, -1):
                needy = [z for z in self.zones if not self._ok(z, order, z.marks.high, 0)]
                balanced = True
                if not needy:
                    break
                highest = needy[-1].index
                for zone in self.zones:
                    if zone.index > highest:
                        break
                    if not self._ok(zone, order, zone.marks.high, highest):
                        balanced = False
                    if not self._ok(zone, order, PLENTY * zone.marks.high, highest):
                        done = self.shrinker.shrink_zone(zone, order, priority, kswapd=True)
                        scanned += done.scanned
                        total += done.reclaimed
                if balanced:
                    break
                if scanned and priority < DEF_PRIORITY - 2:
                    yield CONGESTION_WAIT_US
                if total >= SWAP_CLUSTER_MAX:
                    break
            if balanced:
                return
            if total < SWAP_CLUSTER_MAX:
                order = 0
            if not total:
                yield NOTHING_TO_GET
