#!/usr/bin/env python3
"""The checks of tools/checks find what they are there to find, in small trees that are broken on purpose."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from souk_client import TREE

SCHEMA = """@0xb1c7a3e5d2f04682;
enum Colour { red @0; green @1; }
struct Thing {
  name @0 :Text;
  count @1 :Int64 = 7;
  union { left @2 :Void; right @3 :Colour; }
}
"""


class Checks(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="souk-checks-")
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, path, text):
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(text)

    def check(self, name, *options):
        done = subprocess.run([sys.executable, "-B", os.path.join(TREE, "tools", "checks", f"{name}.py"),
                               "--root", self.root, *options], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def passes(self, name, *options):
        status, said = self.check(name, *options)
        self.assertEqual(status, 0, said)

    def finds(self, name, *words):
        status, said = self.check(name)
        self.assertEqual(status, 1, said)
        for word in words:
            self.assertIn(word, said)


class Includes(Checks):
    def setUp(self):
        super().setUp()
        self.write("schema/events.capnp", SCHEMA)
        self.write("events/ids.h", "#pragma once\n#include <string>\n")
        self.write("domain/cart/cart.h", '#include "events/ids.h"\n')
        self.write("gateway/api/commands/routes.cc", '#include <simdjson.h>\n#include "domain/cart/cart.h"\n'
                   '#include "schema/events.capnp.h"\n')
        self.write("events/journal/rocksdb_journal.cc", "#include <rocksdb/db.h>\n")

    def test_a_sound_tree_passes(self):
        self.passes("includes")

    def test_a_lower_layer_may_not_include_a_higher_one(self):
        self.write("events/batch.h", '#include "actors/cart/cart.h"\n')
        self.finds("includes", "events/batch.h", "events may not include actors")

    def test_nothing_includes_tools_or_tests(self):
        self.write("tests/help.h", "")
        self.write("gateway/api/edge/help.cc", '#include "tests/help.h"\n')
        self.finds("includes", "gateway may not include tests")

    def test_a_vendors_header_stays_in_the_source_of_its_adapter(self):
        self.write("events/journal/rocksdb_journal.h", "#include <rocksdb/db.h>\n")
        self.finds("includes", "events/journal/rocksdb_journal.h: rocksdb/db.h")
        self.write("events/journal/rocksdb_journal.h", "")
        self.write("events/journal/deep/rocksdb_journal.cc", "#include <rocksdb/db.h>\n")
        self.finds("includes", "events/journal/deep/rocksdb_journal.cc")

    def test_the_rules_of_an_aggregate_are_pure(self):
        for header in ("caf/all.hpp", "chrono", "unordered_map", "spdlog/spdlog.h"):
            with self.subTest(header):
                self.write("domain/cart/cart.cc", f"#include <{header}>\n")
                self.finds("includes", "rules are pure")

    def test_an_include_that_is_not_there_is_found(self):
        self.write("events/money.cc", '#include "money.h"\n')
        self.finds("includes", "not a path from the root")


class SchemaGrowth(Checks):
    def setUp(self):
        super().setUp()
        self.write("schema/thing.capnp", SCHEMA)
        self.write("tests/golden/schema/thing.capnp", SCHEMA)

    def change(self, old, new):
        self.assertIn(old, SCHEMA)
        self.write("schema/thing.capnp", SCHEMA.replace(old, new))

    def test_the_same_passes_and_so_does_more(self):
        self.passes("schema")
        self.change("right @3 :Colour; }", "right @3 :Colour; up @4 :Text; }\n  more @5 :List(Thing);")
        self.passes("schema")
        self.change("green @1;", "green @1; blue @2;")
        self.passes("schema")

    def test_each_change_of_what_was_there_is_found(self):
        for old, new, word in (
                ("count @1 :Int64 = 7;", "count @1 :Int32 = 7;", "Thing.count has changed"),
                ("count @1 :Int64 = 7;", "count @1 :Int64 = 8;", "Thing.count has changed"),
                ("count @1 :Int64", "number @1 :Int64", "Thing.count is gone"),
                ("name @0 :Text;", "name @0 :Data;", "Thing.name has changed"),
                ("name @0 :Text;\n  count @1 :Int64 = 7;", "count @0 :Int64 = 7;\n  name @1 :Text;",
                 "Thing.name has changed"),
                ("left @2 :Void; right @3 :Colour;", "right @2 :Colour; left @3 :Void;", "has changed"),
                ("red @0; green @1;", "green @0; red @1;", "Colour"),
                ("struct Thing", "struct Object", "Thing is gone"),
                ("d2f04682", "d2f04683", "id of the file")):
            with self.subTest(new):
                self.change(old, new)
                self.finds("schema", word)

    def test_a_released_file_stays(self):
        os.unlink(os.path.join(self.root, "schema/thing.capnp"))
        self.write("schema/other.capnp", SCHEMA.replace("d2f04682", "d2f04684"))
        self.finds("schema", "the file is gone")

    def test_growth_is_accepted_and_a_break_is_not(self):
        self.change("green @1;", "green @1; blue @2;")
        self.passes("schema", "--accept")
        self.change("green @1;", "green @1; blue @2; black @3;")
        self.passes("schema", "--accept")
        self.write("schema/thing.capnp", SCHEMA)
        status, said = self.check("schema", "--accept")
        self.assertEqual(status, 1, said)
        self.finds("schema", "Colour")


class Documents(Checks):
    def test_links_must_lead_somewhere(self):
        self.write("docs/a.md", "# A page\n\n[b](b.md#the-second-part) [web](https://example.org/x) [self](#a-page)\n"
                   "```\n[not](a-link.md)\n```\n")
        self.write("docs/b.md", "## The second part\n")
        self.passes("links")
        self.write("docs/b.md", "## Another part\n")
        self.finds("links", "docs/a.md: b.md#the-second-part: no such heading")
        os.unlink(os.path.join(self.root, "docs/b.md"))
        self.finds("links", "leads nowhere")
        self.write("docs/a.md", "[out](../../etc)\n")
        self.finds("links", "docs/a.md: ../../etc")

    def test_files_are_small_and_finished(self):
        self.write("events/a.cc", "int a;\n")
        self.passes("tree")
        self.write("events/a.cc", "// TO" + "DO(now): the rest\n")
        self.finds("tree", "events/a.cc: line 1")
        self.write("events/a.cc", "int a;\n" * 701)
        self.finds("tree", "701 lines")
        self.write("events/a.cc", "x" * (512 * 1024 + 1))
        self.finds("tree", "524289 bytes")


class Flags(Checks):
    def test_every_source_is_compiled_with_warnings_as_errors(self):
        flags = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
        entry = '[{"directory": "/", "file": "%s/events/a.cc", "command": "g++ %s -c a.cc"}]'
        self.write("build/release/compile_commands.json", entry % (self.root, flags))
        self.passes("flags")
        for wrong in (flags.replace("-Werror", ""), flags.replace("-Wshadow ", ""), flags + " -Wno-unused",
                      flags + " -w"):
            self.write("build/release/compile_commands.json", entry % (self.root, wrong))
            self.finds("flags", "events/a.cc")


if __name__ == "__main__":
    unittest.main(verbosity=2)
