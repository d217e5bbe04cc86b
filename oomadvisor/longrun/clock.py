"""The time of a run, in microseconds since its start."""


class Clock:
    """The present moment. It only goes forward."""

    def __init__(self) -> None:
        self.now_us = 0

    def reach(self, moment_us: int) -> None:
        """Go to ``moment_us``, unless it has passed."""
        self.now_us = max(self.now_us, moment_us)
