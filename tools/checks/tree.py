#!/usr/bin/env python3
"""Checks what holds for every file: not too large, UTF-8, no work left over, no merge left half done.
usage: tree.py [--root DIR]"""
import argparse
import os
import re
import sys

from tree_files import files, root_of_the_tree

BYTES_MAX = 512 * 1024
LINES_MAX = 700  # of a source; the house style asks for 50 to 300, and for a reason beyond 400
SOURCES = (".h", ".cc", ".py", ".capnp")
UNFINISHED = re.compile(r"\b" + "TODO" + r"\(now\)|^(<{7}|>{7}) ", re.M)


def problems_of(root, path):
    whole = os.path.join(root, path)
    size = os.path.getsize(whole)
    if size > BYTES_MAX:
        yield f"{size} bytes; the limit is {BYTES_MAX}"
        return
    with open(whole, "rb") as file:
        content = file.read()
    if "tests/golden/" in path or b"\0" in content:
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"not UTF-8: {error}"
        return
    found = UNFINISHED.search(text)
    if found:
        yield f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0].strip()}"
    lines = text.count("\n")
    if path.endswith(SOURCES) and lines > LINES_MAX:
        yield f"{lines} lines; split it ({LINES_MAX} at most)"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", default=root_of_the_tree())
    root = arguments.parse_args().root
    everything, broken = files(root), 0
    for path in everything:
        for problem in problems_of(root, path):
            broken += 1
            print(f"{path}: {problem}")
    print(f"{len(everything)} files, {broken} problems")
    return 1 if broken or not everything else 0


if __name__ == "__main__":
    sys.exit(main())
