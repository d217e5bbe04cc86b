"""Pictures of an advice: one module for each, from values of the model to a Vega-Lite chart with its text alternative.

The charts are declared here and drawn by vl-convert, which is part of the extra ``page`` (:mod:`.draw`).
"""

from oomadvisor.present.charts.blocks import blocks_chart
from oomadvisor.present.charts.chart import Chart
from oomadvisor.present.charts.fixes import fixes_chart
from oomadvisor.present.charts.ladder import ladder_chart
from oomadvisor.present.charts.memory import memory_chart
from oomadvisor.present.charts.rates import rates_chart
from oomadvisor.present.charts.sweep import sweep_chart
from oomadvisor.present.charts.timeline import Moment, timeline_chart

__all__ = [
    "Chart",
    "Moment",
    "blocks_chart",
    "fixes_chart",
    "ladder_chart",
    "memory_chart",
    "rates_chart",
    "sweep_chart",
    "timeline_chart",
]
