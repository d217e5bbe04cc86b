"""``python -m oomadvisor``: the same as the ``oomadvisor`` command."""

from oomadvisor.cli import main

main()
