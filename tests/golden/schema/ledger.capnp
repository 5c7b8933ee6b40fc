@0xd4f0c2a96b3e8157;
# What the payment simulator stores: the provider's own side of the story, one record an order.
# It only grows: never renumber, retype or delete.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("souk::schema");

struct ProviderAccount {
  currency @0 :Text;         # empty: none yet
  authorised @1 :Int64;      # micros, as all amounts
  captured @2 :Int64;
  voided @3 :Int64;
  refunded @4 :Int64;
  calls @5 :UInt64;
  cancelled @6 :Bool;        # nothing may be kept, whatever still comes
  failures @7 :UInt32;       # calls that `error:N` failed
  answerDue @8 :Int64;       # UnixMs: `slow:MS` answers no authorise before it
  outcomes @9 :List(ProviderOutcome);
}
struct ProviderOutcome {
  op @0 :UInt8;              # souk::PaymentCall::Op
  number @1 :UInt32;
  kind @2 :UInt8;            # souk::PaymentAnswer::Kind: done or declined
}
