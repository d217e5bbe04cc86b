"""Where everything must hold before a change goes in, properties are tried on the same examples each time; elsewhere
they are tried on new ones, so that what nobody thought of is found by those who can look into it.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
