"""Where clients/python finds what it stands on: `tools/dev setup` puts it into ~/.cache/souk. Standard library only."""
import os

from souk_client import CLEAN_ENVIRONMENT, TREE

CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
PYTHON = os.environ.get("SOUK_LOG_PYTHON") or os.path.join(CACHE, "souk", "souk_log", "bin", "python")
CLIENT = os.path.join(TREE, "clients", "python")
ENVIRONMENT = {**CLEAN_ENVIRONMENT, "PYTHONPATH": CLIENT, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}


def why_no_souk_log():
    """None where its tests can run."""
    if os.access(PYTHON, os.X_OK):
        return None
    return f"there is no {PYTHON}: tools/dev setup installs what clients/python needs"
