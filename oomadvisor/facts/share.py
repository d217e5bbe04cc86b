"""Shares in permille: the unit of every share in a fact."""


def permille(part: int | None, whole: int | None) -> int | None:
    """Return part / whole in permille, rounded; None when one is unknown or the whole is not positive."""
    if part is None or whole is None or whole <= 0:
        return None
    return (part * 1000 + whole // 2) // whole
