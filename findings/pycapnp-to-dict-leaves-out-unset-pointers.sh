#!/usr/bin/env bash
# The dictionaries that pycapnp makes of messages lack what reads as empty, and differ for messages that read the same.
#
# Versions: pycapnp 2.2.4 (PyPI), Python 3.9 or later.
# Behaviour: to_dict() writes every number, flag and enumerant, also those that were never set, but leaves out every text,
#   blob, list and struct that was not set, although to read such a member gives its default. Who makes rows of a log's
#   events that way gets a KeyError, or a column that some files lack, for the events whose member is empty. A text that was
#   set to '' is written. In a message that is being built, to read a member of an unset struct sets the struct: its
#   dictionary has it from then on. verbose=True writes all.
# Seen: {'count': 0, 'flag': False, 'kind': 'small'} of eight members; ['', b'', 0, 0] where four of the others are read;
#   all eight with verbose=True.
#
# Exit code: 0 as stated, 1 the behaviour has changed, 2 it could not be tried.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
{ python3 -m venv venv && timeout 300 venv/bin/pip install -q --only-binary :all: pycapnp==2.2.4; } > pip.log 2>&1 ||
    { echo "not tried: pip: $(tail -n 5 pip.log)" >&2; exit 2; }
cat > order.capnp <<'SCHEMA'
@0xb7a3d0c5e1f29468;
enum Kind { small @0; large @1; }
struct Line { sku @0 :Text; }
struct Order {
  count @0 :UInt32;
  flag @1 :Bool;
  kind @2 :Kind;
  note @3 :Text;
  seal @4 :Data;
  numbers @5 :List(UInt32);
  lines @6 :List(Line);
  first @7 :Line;
}
SCHEMA
cat > look.py <<'PYTHON'
import capnp
schema = capnp.load("order.capnp")

def reader(**members):
    return schema.Order.from_bytes(schema.Order.new_message(**members).to_bytes()).__enter__()

unset, empty_note = reader(), reader(note="")
print("to_dict:", unset.to_dict())
read = [unset.note, unset.seal, len(unset.numbers), len(unset.lines)]
print("read:", read)
print("verbose:", sorted(unset.to_dict(verbose=True)))
print("note set to '':", sorted(empty_note.to_dict()), "reads the same:", unset.note == empty_note.note)
assert sorted(unset.to_dict()) == ["count", "flag", "kind"]
assert read == ["", b"", 0, 0]
assert len(unset.to_dict(verbose=True)) == 8
assert sorted(empty_note.to_dict()) == ["count", "flag", "kind", "note"]
built = schema.Order.new_message()
before = sorted(built.to_dict())
sku = built.first.sku
print("of a message that is built, before and after first.sku was read:", before, sorted(built.to_dict()), repr(sku))
assert before == ["count", "flag", "kind"] and sorted(built.to_dict()) == ["count", "first", "flag", "kind"]
PYTHON
venv/bin/python look.py || { echo "changed"; exit 1; }
echo "as described"
