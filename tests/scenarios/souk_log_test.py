#!/usr/bin/env python3
"""clients/python against the golden files that it shares with the engine's own tests."""
import subprocess
import sys

from skips import skip_scenario
from souk_client import PATIENCE
from souk_log_venv import CLIENT, ENVIRONMENT, PYTHON, why_no_souk_log


def main():
    why = why_no_souk_log()
    if why:
        skip_scenario("souk-log", why)
    return subprocess.run([PYTHON, "-m", "unittest", "discover", "-s", "tests"], cwd=CLIENT, env=ENVIRONMENT,
                          timeout=60 * PATIENCE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
