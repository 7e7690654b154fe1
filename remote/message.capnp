@0xd2c8a7f4e15b9036;
# A call of another process, or an answer to one. docs/processes.md explains each field.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("braid::wire");

struct Value {
  union {
    null @0 :Void;
    int64 @1 :Int64;
    double @2 :Float64;
    text @3 :Text;
    blob @4 :Data;
  }
}

struct Message {
  operation @0 :UInt16;
  handle @1 :UInt64;
  code @2 :Int32;
  inTransaction @3 :Bool;
  errorOffset @4 :Int64 = -1;
  error @5 :Text;
  values @6 :List(Value);
}
