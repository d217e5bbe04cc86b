"""The order of fixes (docs/ranking.md): proof, what it repairs, cost, risk, id. Total and stable."""

from oomadvisor.model import RankParts, Verification

LEVELS = {"none": 0, "low": 1, "medium": 2, "high": 3}
REPAIRS = {"cause": 0, "symptom": 1, "containment": 2}
LIKELY_PERMILLE = 900


def proof(verification: Verification) -> int:
    """Return the weight of the proof, smallest first.

    0 certain; 1 bounded, where nine in ten drawn layouts pass at HIGH; 2 marginal; 3 bounded otherwise; 4 not
    decidable; 5 no effect; 6 harmful.
    """
    if verification.class_ == "bounded":
        return 1 if (verification.estimate_permille or 0) >= LIKELY_PERMILLE else 3
    return {"certain": 0, "marginal": 2, "not decidable": 4, "no effect": 5, "harmful": 6}[verification.class_]


def rank_parts(verification: Verification, repairs: str, cost: str, risk: str, fix_id: str) -> RankParts:
    """Return the sort key of a fix as its named parts."""
    return RankParts(
        proof=proof(verification), repairs=REPAIRS[repairs], cost=LEVELS[cost], risk=LEVELS[risk], id=fix_id
    )
