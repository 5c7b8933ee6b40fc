#!/usr/bin/env python3
"""Checks that the relative links of every *.md lead to a file, and to a heading where they name one.
usage: links.py [--root DIR]"""
import argparse
import os
import re
import sys
from urllib.parse import unquote

from tree_files import files, root_of_the_tree

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.M)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")


def anchors(text):
    """The names that GitHub gives the headings."""
    names, seen = set(), {}
    for heading in re.findall(r"^#+\s+(.*?)\s*#*$", FENCE.sub("", text), re.M):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        n = seen.get(name, 0)
        seen[name] = n + 1
        names.add(name if n == 0 else f"{name}-{n}")
    return names


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def problem_of(root, path, link):
    if re.match(r"[a-z][a-z0-9+.-]*:", link, re.I):
        return None
    target, _, anchor = unquote(link).partition("#")
    whole = os.path.normpath(os.path.join(root, os.path.dirname(path), target)) if target else os.path.join(root, path)
    if not os.path.exists(whole):
        return f"{link} leads nowhere"
    if os.path.commonpath([os.path.abspath(whole), os.path.abspath(root)]) != os.path.abspath(root):
        return f"{link} leads out of the tree"
    if anchor and whole.endswith(".md") and anchor.lower() not in anchors(read(whole)):
        return f"{link}: no such heading"
    return None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", default=root_of_the_tree())
    root = arguments.parse_args().root
    links = broken = 0
    for path in files(root):
        if not path.endswith(".md"):
            continue
        text = CODE.sub("", FENCE.sub("", read(os.path.join(root, path))))
        for inline, reference in LINK.findall(text):
            links += 1
            problem = problem_of(root, path, inline or reference)
            if problem:
                broken += 1
                print(f"{path}: {problem}")
    print(f"{links} links, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
