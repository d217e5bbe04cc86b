"""An advice as one HTML page that needs nothing else: no network, no script but its own, readable on paper.

The page is filled in by Jinja2 with autoescape, the pictures are drawn by vl-convert; both are in the extra ``page``.
"""
