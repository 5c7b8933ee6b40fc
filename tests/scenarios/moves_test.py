#!/usr/bin/env python3
"""A data directory moves between this build and another one of the same tree (of another Debian, with another RocksDB,
Xapian and SQLite), both ways: one writes it and is killed; the other audits it, shows the same, goes on and is killed;
then the first takes it back, with the read models that the other made.

usage: moves_test.py OTHER_BIN_DIR     (tools/dev fresh --moves SUITE makes one)"""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import golden_test
import souk_client
from souk_client import eventually

HERE, OTHER = souk_client.BIN_DIR, sys.argv.pop(1)
MAKE = os.path.join(golden_test.GOLDEN, "make_data.py")


def quiet(client):
    """The log, once nothing is added to it."""
    before = golden_test.events(client)
    time.sleep(0.5)
    return before if golden_test.events(client) == before else None


class Moves(golden_test.Golden):
    test_an_old_directory_opens_shows_what_it_showed_and_goes_on = None  # the scenario golden

    def test_from_here_to_the_other_and_back(self):
        self.there_and_back(HERE, OTHER)

    def test_from_the_other_to_here_and_back(self):
        self.there_and_back(OTHER, HERE)

    def there_and_back(self, writer, reader):
        self.addCleanup(setattr, souk_client, "BIN_DIR", HERE)
        with tempfile.TemporaryDirectory(prefix="souk-moves-") as place:
            home = os.path.join(place, "data")
            subprocess.run([sys.executable, "-B", MAKE, home, "moves"], check=True, stdout=subprocess.DEVNULL,
                           env={**souk_client.CLEAN_ENVIRONMENT, "SOUK_BIN_DIR": os.path.abspath(writer)})
            with open(f"{home}.json", encoding="utf-8") as file:
                told = json.load(file)
            for build in (reader, writer, reader):
                souk_client.BIN_DIR = build
                daemon = souk_client.Daemon(*golden_test.OPTIONS, data_dir=home)
                try:
                    self.one(daemon, told)
                    self.leaves_it_killed(daemon, told)
                finally:
                    daemon.__exit__()

    def leaves_it_killed(self, daemon, told):
        """As after a power cut, with new events; `told` then knows of those too."""
        client = daemon.start().client()
        for path in self.goes_on(client, told["pending"]):
            answer = client.get(path)
            told["documents"][path] = {"status": 200, "etag": answer.headers.get("etag"), "body": answer.json}
        told["log"] = eventually(lambda: quiet(client), bool)
        self.assertFalse(told["log"]["truncated"])
        told["events"] = {"all": len(told["log"]["rows"])}
        daemon.kill()


if __name__ == "__main__":
    unittest.main(verbosity=2)
