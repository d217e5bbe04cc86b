"""oomadvisor: why a Linux box with free memory killed a process, and which change cures it."""

__version__ = "0.1.0"
