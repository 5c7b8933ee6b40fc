@0xb3cb2b03064594f0;
# What the control log holds and what nodes say of themselves: who is there, who shall own which shard, what moves. It only
# grows.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("souk::schema");

# The payload of one record of the control log.
struct ControlRecord {
  entries @0 :List(ControlEntry);
}

struct ControlEntry {
  at @0 :Int64;              # UnixMs of the controller
  who @1 :Text;              # empty: the controller itself
  node @2 :UInt32;           # whom it is about; 0: nobody
  shard @3 :UInt16;          # what it is about
  optional @4 :Bool;         # a build that does not know the kind may leave it out
  union {
    none @5 :Void;           # never written: what a newer build's kind looks like where it has no data
    joined @6 :ControlJoined;
    heard @7 :ControlHeard;
    silent @8 :Void;
    wished @9 :UInt8;        # souk::cluster::Wish
    weighted @10 :UInt32;
    zoned @11 :Text;
    forgotten @12 :Void;
    pinned @13 :Void;
    unpinned @14 :Void;
    asked @15 :Void;
    rebalanced @16 :Void;
    placement @17 :List(ControlSeats);
    moveBegan @18 :ControlMove;
    moveEnded @19 :ControlMoveEnd;
    ownerFound @20 :UInt64;  # epoch
    replicaWarm @21 :Void;
    replicaLost @22 :Void;
    note @23 :Text;
  }
}

struct ControlJoined {
  name @0 :Text;
  zone @1 :Text;
  weight @2 :UInt32;
}
struct ControlHeard {
  incarnation @0 :UInt64;
  zone @1 :Text;             # as the node is configured
  weight @2 :UInt32;
  http @3 :Text;
  peer @4 :Text;
  build @5 :Text;
  protocolMin @6 :UInt16;
  protocolMax @7 :UInt16;
}
struct ControlSeats {
  shard @0 :UInt16;
  ownerWhy @1 :UInt8;        # souk::cluster::Reason
  standbyWhy @2 :UInt8;
  owner @3 :UInt32;
  standby @4 :UInt32;
}
struct ControlMove {
  number @0 :UInt64;
  kind @1 :UInt8;            # souk::cluster::Move::Kind
  reason @2 :UInt8;          # souk::cluster::Reason
  from @3 :UInt32;
  to @4 :UInt32;
}
struct ControlMoveEnd {
  number @0 :UInt64;
  outcome @1 :UInt8;         # souk::cluster::MoveOutcome
  epoch @2 :UInt64;          # of the new owner, where there is one
}

# What a node says of itself, four times a second, in the liveness topic. Lists of equal length: one row for each shard that it
# holds, ascending.
struct NodeHeartbeat {
  name @0 :Text;
  incarnation @1 :UInt64;
  sequence @2 :UInt64;
  zone @3 :Text;
  weight @4 :UInt32;
  http @5 :Text;
  peer @6 :Text;
  build @7 :Text;
  protocolMin @8 :UInt16;
  protocolMax @9 :UInt16;
  controllerEpoch @10 :UInt64;  # 0: it is not the controller
  shards @11 :List(UInt16);
  holds @12 :List(UInt8);       # souk::cluster::Holds
  nextOffsets @13 :List(UInt64);
  ending @14 :Bool;             # it was asked to end, and gives away what it owns
  epochs @15 :List(UInt64);     # in which it owns them; none in a build that does not say
  noReadModels @16 :Bool;
}

# What an operator wants, on its way from the node that was asked to the controller.
struct OperatorWish {
  who @0 :Text;
  node @1 :Text;             # a name; of those that name one
  shard @2 :UInt16;          # of those that name one
  union {
    move @3 :Void;
    drain @4 :Void;
    cordon @5 :Void;
    uncordon @6 :Void;
    weigh @7 :UInt32;
    zone @8 :Text;
    forget @9 :Void;
    pin @10 :Void;
    unpin @11 :Void;
    rebalance @12 :Void;
    cancel @13 :UInt64;      # the number of a move
    note @14 :Text;
  }
}

# What became of it.
struct WishOutcome {
  refused @0 :Bool;
  why @1 :Text;              # for people
  kind @2 :UInt8;            # souk::cluster::Refused::Kind
}
