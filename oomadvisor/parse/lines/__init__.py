"""The kinds of lines, one module for each part of a report; ``oomadvisor.parse.forms`` puts them in order."""
