@0xb3f1c9d27a5e6481;
# One transaction's graph and time-series changes. docs/log_format.md explains each field.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("braid::wire");

struct NodeChange {
  kind @0 :UInt16;
  id @1 :UInt64;
  value @2 :Data;
  labelsAdded @3 :List(UInt32);
  labelsRemoved @4 :List(UInt32);
  indexPut @5 :List(Data);
  indexRemoved @6 :List(Data);
}

struct EdgeChange {
  kind @0 :UInt16;
  created @1 :Bool;
  id @2 :UInt64;
  source @3 :UInt64;
  target @4 :UInt64;
  type @5 :UInt32;
  properties @6 :Data;
  indexPut @7 :List(Data);
  indexRemoved @8 :List(Data);
}

struct SeriesDeletion {
  hypertable @0 :UInt32;
  start @1 :Int64;
  limit @2 :Int64;
  series @3 :List(UInt64);
}

struct CommitRecord {
  nodes @0 :List(NodeChange);
  edges @1 :List(EdgeChange);
  nextNode @2 :UInt64;
  nextEdge @3 :UInt64;
  deletions @4 :List(SeriesDeletion);
  relogged @5 :Bool;
  transaction @6 :UInt64;
  committed @7 :Int64;
}
