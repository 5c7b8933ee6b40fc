#!/usr/bin/env python3
"""Schemathesis reads the OpenAPI document of a real daemon with a generated shop, and finds nothing that is not so: all its
phases, all its checks, one seed. What it is told and where it is wrong: openapi/schemathesis.toml and openapi/hooks.py.

usage: openapi_test.py [--seed N] [--max-examples N] [--codec utf-8]        utf-8: texts of all scripts"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from skips import skip_scenario
from souk_client import CLEAN_ENVIRONMENT, PATIENCE, TREE, Daemon, binary

HERE = os.path.join(TREE, "tests", "scenarios", "openapi")
# Where `tools/dev setup` puts it.
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
PROGRAM = os.path.join(CACHE, "souk", "schemathesis", "bin", "schemathesis")
# As it is for `tools/dev run`: the examples of the document are of this shop.
SHOP = ["--products", "300", "--users", "200", "--orders", "500", "--seed", "1"]
OPERATIONS_MIN = 40

given = {"--seed": "1", "--max-examples": "25", "--codec": "ascii"}


class OpenApi(unittest.TestCase):
    def take_texts_of(self, codec, settings):
        """Texts of any characters may have more bytes than the limits allow, which are of bytes: good data may be 422."""
        with open(settings, encoding="utf-8") as file:
            text = file.read()
        for before, after in (('codec = "ascii"', f'codec = "{codec}"'), ('"404", "409", "412"]', '"404", "409", "412", "422"]')):
            self.assertEqual(text.count(before), 1, before)
            text = text.replace(before, after)
        with open(settings, "w", encoding="utf-8") as file:
            file.write(text)

    def test_the_daemon_is_what_its_document_says(self):
        place = tempfile.mkdtemp(prefix="souk-test-")
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        for name in os.listdir(HERE):
            if name.endswith((".toml", ".py")):
                shutil.copy(os.path.join(HERE, name), place)
        if given["--codec"] != "ascii":
            self.take_texts_of(given["--codec"], os.path.join(place, "schemathesis.toml"))
        environment = {**CLEAN_ENVIRONMENT, "PYTHONPATH": place, "PYTHONDONTWRITEBYTECODE": "1"}
        with Daemon() as daemon:
            url = f"http://{daemon.address}"
            subprocess.run([binary("souk"), "--url", url, "generate", *SHOP], check=True, capture_output=True,
                           timeout=60 * PATIENCE)
            done = subprocess.run(
                [PROGRAM, "--config-file", "schemathesis.toml", "run", f"{url}/openapi.json", "--seed",
                 given["--seed"], "--max-examples", given["--max-examples"]], cwd=place, env=environment, capture_output=True, text=True,
                timeout=200 * PATIENCE)
            said = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, said[-20_000:])
            tested = re.search(r"Tested: (\d+)", said)
            self.assertGreaterEqual(int(tested[1]) if tested else 0, OPERATIONS_MIN, said[-4_000:])
            self.assertEqual(daemon.stop(), 0)
            self.assertNotIn("[error]", daemon.log())


if __name__ == "__main__":
    for option in given:
        if option in sys.argv:
            at = sys.argv.index(option)
            given[option] = sys.argv[at + 1]
            del sys.argv[at:at + 2]
    if not os.access(PROGRAM, os.X_OK):
        skip_scenario("schemathesis", "there is no Schemathesis: tools/dev setup could not install it")
    unittest.main(verbosity=2)
