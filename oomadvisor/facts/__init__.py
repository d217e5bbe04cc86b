"""What the rules can look at: the declared kinds of fact, and the facts of one state."""

from oomadvisor.facts.assess import Alternative, Assessment, assess
from oomadvisor.facts.derive import facts_of
from oomadvisor.facts.kinds import FACT_KINDS, SCOPES
from oomadvisor.facts.yaml_text import facts_yaml

__all__ = ["FACT_KINDS", "SCOPES", "Alternative", "Assessment", "assess", "facts_of", "facts_yaml"]
