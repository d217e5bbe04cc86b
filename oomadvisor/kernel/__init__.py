"""What the kernel does: its allocator arithmetic as pure functions on integers, under the kernel's own names.

Nothing here reads a file, a clock or the environment. Sizes are in pages unless a name says otherwise; zones are listed
from the lowest to the highest. Which functions stand for which kernel is answered by :mod:`oomadvisor.kernel.series`.
"""
