@0xd3a5f1c0b7e94a62;
# What the runner of a read model stores with each of its commits.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("souk::schema");

struct RunnerCheckpoint {
  struct Shard {
    seq @0 :UInt64;            # the last event that was applied
    epoch @1 :UInt64;          # of the record that held it
    place @2 :Data;            # souk::FoldState, encoded; absent: a build before it wrote this
  }
  struct Stale {               # an entity that the model shows as it was before an event it cannot take
    shard @0 :UInt16;
    seq @1 :UInt64;            # of that event
    kind @2 :UInt8;            # souk::Kind
    id @3 :Data;
    why @4 :Text;
    at @5 :Int64;              # UnixMs, of the event
    held @6 :UInt64;           # events of the entity since, that wait
  }
  version @0 :UInt32;          # of the model's code
  shards @1 :List(Shard);
  stale @2 :List(Stale);
  directory @3 :Data;          # 16 bytes: the data directory whose log it folds; empty: of format 1
}
