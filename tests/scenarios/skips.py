"""Scenarios, or tests of theirs, that cannot run here. Each is counted: CI fails when this machine could have run it
(tools/checks/skips.py, which knows every need). Standard library only."""
import os
import sys
import unittest

EXIT_STATUS = 77  # of a scenario that is left out whole; ctest knows it


def skipped(need, why):
    """Notes it, a line of the file that SOUK_SKIPS names. `need`: a word that tools/checks/skips.py knows."""
    test = os.path.basename(sys.argv[0]).removesuffix("_test.py")
    print(f"skipped: {why}", flush=True)
    path = os.environ.get("SOUK_SKIPS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{need}\t{test}\t{why}\n")


def skip_scenario(need, why):
    """Ends this program."""
    skipped(need, why)
    sys.exit(EXIT_STATUS)


def skip_test(need, why):
    """Ends one test of unittest."""
    skipped(need, why)
    raise unittest.SkipTest(why)
