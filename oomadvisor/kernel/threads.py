"""How many tasks the kernel allows by default."""

__all__ = ["default_threads_max"]

MIN_THREADS = 20
THREAD_PAGES_ARM = 2  # a kernel stack of 8 kB, as on 32-bit x86 without 4KSTACKS and on MIPS


def default_threads_max(ram_pages: int, *, thread_pages: int = THREAD_PAGES_ARM) -> int:
    """Return kernel.threads-max as set at boot (kernel/fork.c: fork_init, 2.6.31): stacks may take an eighth of RAM.

    ``ram_pages``: all pages of RAM. Half of it becomes RLIMIT_NPROC.

    >>> default_threads_max(65536)
    4096
    """
    return max(ram_pages // (8 * thread_pages), MIN_THREADS)
