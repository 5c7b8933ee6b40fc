#!/usr/bin/env python3
"""The tour of README.md works when it is pasted, and shows the same after a kill."""
import json
import os
import re
import subprocess
import unittest

from souk_client import CLEAN_ENVIRONMENT, TREE, Daemon, eventually


def tour():
    """The three blocks of the tour: commands, questions, and after the kill."""
    with open(os.path.join(TREE, "README.md"), encoding="utf-8") as file:
        section = re.search(r"^## A tour\n(.*?)^## ", file.read(), re.M | re.S)[1]
    return re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)


def paste(commands, daemon):
    commands = re.sub(r"^kill -9 .*", "", commands.replace("127.0.0.1:8080", daemon.address), flags=re.M)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True,
                          env=CLEAN_ENVIRONMENT, timeout=60)
    return done.returncode, done.stdout + done.stderr


class Readme(unittest.TestCase):
    def test_the_tour_works_and_a_kill_changes_nothing(self):
        first, questions, second = tour()
        with Daemon() as daemon:
            # The other blocks use what the first one set: they are pasted into the same shell.
            keep = "\nprintf 'cart=%s order=%s\\n' $cart $order\n"
            status, said = paste(first + keep, daemon)
            self.assertEqual(status, 0, said)
            answers = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
            self.assertEqual(answers[2], answers[3], "one key, one effect")
            order, payment, stock = answers[4:7]
            self.assertEqual((order["status"], payment["captured"]["amount"]), ("confirmed", "24.69"))
            self.assertEqual((stock["on_hand"], stock["reserved"]), (8, 0))
            names = re.search(r"^cart=(\S+) order=(\S+)$", said, re.M)

            head = first.splitlines()[0] + f"\ncart={names[1]} order={names[2]}\n"
            status, said = eventually(lambda: paste(head + questions, daemon), lambda ran: '"total":1' in ran[1] and
                                      '"amount":"24.69"' in ran[1])
            self.assertEqual(status, 0, said)
            found, sales, types = [json.loads(line) for line in said.splitlines()]
            self.assertEqual(found["hits"][0]["sku"], "OOLONG-1")
            self.assertEqual(sales["total"]["revenue"]["amount"], "24.69")
            self.assertEqual((types["columns"][0], types["truncated"]), ("type", False))

            daemon.kill()
            daemon.start()
            status, said = paste(head + second, daemon)
            self.assertEqual(status, 0, said)
            self.assertEqual(json.loads(said.splitlines()[0]), order, "the same order, the same history")
            self.assertIn("Idempotent-Replay: true", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
