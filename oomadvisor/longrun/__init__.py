"""The long run: a box driven for days by a described mix, under several settings side by side.

It answers what a snapshot cannot: how free blocks of each order develop before memory is full, and what a setting that
is made early changes.
"""

from oomadvisor.longrun.box import Box, NoLongRun, box_of
from oomadvisor.longrun.mix import Mix
from oomadvisor.longrun.mixfile import default_mix, read_mix
from oomadvisor.longrun.run import LongRun, Run, SettingRuns, long_run
from oomadvisor.longrun.sample import Sample
from oomadvisor.longrun.setting import AS_IT_IS, Setting, setting_of
from oomadvisor.longrun.start import Start, boot, from_boot, from_report
from oomadvisor.longrun.workload import Kill

__all__ = [
    "AS_IT_IS",
    "Box",
    "Kill",
    "LongRun",
    "Mix",
    "NoLongRun",
    "Run",
    "Sample",
    "Setting",
    "SettingRuns",
    "Start",
    "boot",
    "box_of",
    "default_mix",
    "from_boot",
    "from_report",
    "long_run",
    "read_mix",
    "setting_of",
]
