#!/usr/bin/env python3
"""Checks that the release build compiles each of our sources with the house's warnings, in CI as errors.
usage: flags.py [--root DIR] [--build DIR]"""
import argparse
import json
import os
import shlex
import sys

from tree_files import root_of_the_tree

WANTED = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion"] + (["-Werror"] if os.environ.get("CI") else [])
# A designated initialiser leaves out, on purpose, the members whose defaults are meant.
MAY_BE_OFF = {
    "-Wno-missing-field-initializers",
    # false with GCC 12 and precompiled headers: CMakeLists.txt
    "-Wno-array-bounds",
    "-Wno-restrict",
    "-Wno-stringop-overread",
    "-Wno-stringop-overflow",
}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", default=root_of_the_tree())
    arguments.add_argument("--build", default=None)
    given = arguments.parse_args()
    build = os.path.abspath(given.build or os.path.join(given.root, "build", "release"))
    checked = broken = 0
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    for command in commands:
        source = os.path.abspath(command["file"])
        if source.startswith(build + os.sep) or not source.endswith(".cc"):
            continue  # generated from the schemas
        flags = shlex.split(command["command"])
        missing = [f for f in WANTED if f not in flags]
        off = [f for f in flags if (f.startswith("-Wno-") and f not in MAY_BE_OFF) or f == "-w"]
        checked += 1
        if missing or off:
            broken += 1
            print(f"{os.path.relpath(source, given.root)}: lacks {missing}, switches off {off}")
    print(f"{checked} sources, {broken} without the warnings")
    return 1 if broken or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
