"""The files of /proc, one parser for each family; ``oomadvisor.parse.proc`` finds out which text is which file."""
