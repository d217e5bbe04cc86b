"""Rules of oomadvisor for JFFS2; the rule files are in the folder rules."""
