#!/usr/bin/env python3
"""Checks that the stored formats only grow: every type, field, ordinal and default of the released schemas
(tests/golden/schema) is still there, unchanged, in schema/; new ones may be added.
usage: schema.py [--root DIR] [--accept]
--accept takes the present schemas as the released ones, unless they break what was released; a format that
was never released is started over by deleting its copy."""
import argparse
import os
import re
import shutil
import subprocess
import sys

from tree_files import root_of_the_tree


TOKEN = re.compile(r'\s*(0x"[^"]*"|"(?:[^"\\]|\\.)*"|<[^>]*>|[()\[\],=]|[^\s()\[\],="]+)')


def literal(text):
    """Cap'n Proto's text form as dicts, lists and strings (its JSON form cannot show defaults of pointers)."""
    tokens = TOKEN.findall(text)
    at = 0

    def value():
        nonlocal at
        token = tokens[at]
        at += 1
        if token == "[":
            return items("]", value)
        if token == "(":
            return dict(items(")", member))
        return token[1:-1] if token.startswith('"') else token

    def member():
        nonlocal at
        name = tokens[at]
        at += 2  # the name and '='
        return name, value()

    def items(end, item):
        nonlocal at
        found = []
        while tokens[at] != end:
            found.append(item())
            if tokens[at] == ",":
                at += 1
        at += 1
        return found

    return value()


def nodes_of(root, path, imports):
    """The types of one schema file as Cap'n Proto's compiler sees them: id -> node."""
    request = subprocess.run(["capnp", "compile", "-o-", f"-I{imports}", f"--src-prefix={root}",
                              os.path.join(root, path)], check=True, capture_output=True).stdout
    text = subprocess.run(["capnp", "convert", "--short", "binary:text", "/usr/include/capnp/schema.capnp",
                           "CodeGeneratorRequest"], input=request, check=True, capture_output=True).stdout
    asked = literal(text.decode())
    file_id = asked["requestedFiles"][0]["id"]
    by_id = {node["id"]: node for node in asked["nodes"]}

    def belongs(node):
        while node is not None and node["id"] != file_id:
            node = by_id.get(node["scopeId"])
        return node is not None

    return {i: n for i, n in by_id.items() if belongs(n)}


def name_of(node):
    return node["displayName"].rpartition(":")[2]


def kind_of(node):
    return next(k for k in ("file", "struct", "enum", "interface", "const", "annotation") if k in node)


def stored_part(field):
    """What decides how a field is stored and called."""
    return {k: v for k, v in field.items() if k not in ("codeOrder", "annotations")}


def struct_problems(name, old, new):
    now = {f["name"]: f for f in new.get("fields", [])}
    for field in old.get("fields", []):
        if field["name"] not in now:
            yield f"{name}.{field['name']} is gone"
        elif stored_part(now[field["name"]]) != stored_part(field):
            yield f"{name}.{field['name']} has changed: {stored_part(field)} -> {stored_part(now[field['name']])}"
    for size in ("dataWordCount", "pointerCount", "discriminantCount"):
        if int(new.get(size, 0)) < int(old.get(size, 0)):
            yield f"{name} has shrunk ({size})"
    if int(old.get("discriminantCount", 0)) and old["discriminantOffset"] != new["discriminantOffset"]:
        yield f"{name}: its union has moved"


def enum_problems(name, old, new):
    now = [e["name"] for e in new.get("enumerants", [])]
    was = [e["name"] for e in old.get("enumerants", [])]
    if now[:len(was)] != was:
        yield f"{name}: {was} has become {now}"


def node_problems(old, new):
    name, kind = name_of(old), kind_of(old)
    if kind_of(new) != kind:
        yield f"{name} was a {kind} and is a {kind_of(new)}"
    elif name_of(new) != name:
        yield f"{name} is called {name_of(new)}"
    elif kind == "struct":
        yield from struct_problems(name, old["struct"], new["struct"])
    elif kind == "enum":
        yield from enum_problems(name, old["enum"], new["enum"])
    elif kind in ("const", "interface") and old[kind] != new[kind]:
        yield f"{name} has changed"


def schemas_in(folder):
    return sorted(n for n in os.listdir(folder) if n.endswith(".capnp")) if os.path.isdir(folder) else []


def problems_of(root, name):
    golden = os.path.join(root, "tests", "golden")
    if not os.path.exists(os.path.join(root, "schema", name)):
        yield "the file is gone"
        return
    old = nodes_of(golden, f"schema/{name}", golden)
    new = nodes_of(root, f"schema/{name}", root)
    for number, node in old.items():
        if kind_of(node) == "file" and number not in new:
            yield "the id of the file has changed"
        elif kind_of(node) != "file" and number not in new:
            yield f"{name_of(node)} is gone"
        elif kind_of(node) != "file":
            yield from node_problems(node, new[number])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", default=root_of_the_tree())
    arguments.add_argument("--accept", action="store_true")
    given = arguments.parse_args()
    root = given.root
    golden = os.path.join(root, "tests", "golden", "schema")
    released, present = schemas_in(golden), schemas_in(os.path.join(root, "schema"))
    broken = 0
    for name in released:
        for problem in problems_of(root, name):
            broken += 1
            print(f"schema/{name}: {problem}")
    fresh = [n for n in present if n not in released]
    if broken or not present:
        print(f"{broken} changes that stored data would not survive")
        return 1
    if given.accept:
        os.makedirs(golden, exist_ok=True)
        for name in present:
            shutil.copyfile(os.path.join(root, "schema", name), os.path.join(golden, name))
        print(f"accepted: {' '.join(present)}")
        return 0
    print(f"{len(released)} released schemas only grew" + (f"; not released yet: {' '.join(fresh)}" if fresh else ""))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{' '.join(failure.cmd[:3])}: {failure.stderr.decode(errors='replace')}")
