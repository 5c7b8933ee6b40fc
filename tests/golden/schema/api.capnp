@0xd3a95c7be1f8240f;
# The binary form of a batch: POST /v1/commands with Content-Type application/x-capnp. The request
# body is one message (standard stream framing, not packed) with the root Commands; the answer is one
# message with the root Answers, in the same order. The same limits and checks as for JSON.
#
# A text that is not set is not given. Ids are the texts that answers carry (u..., c..., o...).
# It only grows: never renumber, retype or delete.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("souk::schema");

struct Commands {
  commands @0 :List(Command);      # 1 to 100,000
}

struct Command {
  idempotencyKey @0 :Text;
  ifMatch @1 :UInt64;              # with ifMatchSet
  ifMatchSet @2 :Bool;
  waitFinal @3 :Bool;              # checkOut, placeOrder: answer when the order is final
  minimal @4 :Bool;                # no body in the answer, but where it carries a new id
  union {
    putProduct @5 :PutProductCommand;
    delistProduct @6 :Text;        # SKU
    receiveStock @7 :ReceiveStockCommand;
    adjustStock @8 :AdjustStockCommand;
    registerUser @9 :RegisterUserCommand;
    updateUser @10 :UpdateUserCommand;
    eraseUser @11 :Text;           # user id
    openCart @12 :OpenCartCommand;
    addItem @13 :AddItemCommand;
    setItem @14 :SetItemCommand;
    removeItem @15 :RemoveItemCommand;
    checkOut @16 :CheckOutCommand;
    placeOrder @17 :PlaceOrderCommand;
    cancelOrder @18 :Text;         # order id, as the next two
    shipOrder @19 :Text;
    deliverOrder @20 :Text;
    returnOrder @21 :ReturnOrderCommand;
    refundOrder @22 :RefundOrderCommand;
    acceptReturn @23 :AcceptReturnCommand;
    eraseOrder @24 :Text;          # order id
  }
  ifAbsent @25 :Bool;              # only where there is nothing yet, as If-None-Match: *
}

struct Price {
  micros @0 :Int64;                # millionths of the currency's unit
  currency @1 :Text;
}
struct NamedText {
  name @0 :Text;
  value @1 :Text;
}
struct PutProductCommand {
  sku @0 :Text;
  name @1 :Text;
  description @2 :Text;
  brand @3 :Text;
  category @4 :List(Text);
  attributes @5 :List(NamedText);
  price @6 :Price;
  active @7 :Bool = true;
  images @8 :List(Text);
  barcode @9 :Text;
  group @10 :Text;
  options @11 :List(NamedText);
}
struct ReceiveStockCommand {
  sku @0 :Text;
  quantity @1 :Int64;
  reference @2 :Text;
}
struct AdjustStockCommand {
  sku @0 :Text;
  delta @1 :Int64;
  reason @2 :Text;
}
struct RegisterUserCommand {
  email @0 :Text;
  name @1 :Text;
  country @2 :Text;
}
struct UpdateUserCommand {
  userId @0 :Text;
  email @1 :Text;
  name @2 :Text;
  country @3 :Text;
}
struct OpenCartCommand {
  userId @0 :Text;
  currency @1 :Text;
}
struct AddItemCommand {
  cartId @0 :Text;
  sku @1 :Text;
  quantity @2 :Int64;
  unitPrice @3 :Price;
}
struct SetItemCommand {
  cartId @0 :Text;
  sku @1 :Text;
  quantity @2 :Int64;
}
struct RemoveItemCommand {
  cartId @0 :Text;
  sku @1 :Text;
}
struct PaymentChoice {
  method @0 :Text;
  token @1 :Text;
}
struct CheckOutCommand {
  cartId @0 :Text;
  payment @1 :PaymentChoice;
  shippingAddress @2 :Text;        # a JSON object
  occurredAt @3 :Text;             # RFC 3339
}
struct CommandLine {
  sku @0 :Text;
  quantity @1 :Int64;
  unitPrice @2 :Price;             # not in placeOrder
}
struct PlaceOrderCommand {
  userId @0 :Text;
  lines @1 :List(CommandLine);
  payment @2 :PaymentChoice;
  shippingAddress @3 :Text;
  occurredAt @4 :Text;
}
struct ReturnOrderCommand {
  orderId @0 :Text;
  lines @1 :List(CommandLine);     # not set: everything that is still out
  occurredAt @2 :Text;
}
struct RefundOrderCommand {
  orderId @0 :Text;
  amount @1 :Price;                # not set: all that was not paid back yet
}
struct AcceptReturnCommand {
  userId @0 :Text;
  lines @1 :List(CommandLine);
  reference @2 :Text;
  occurredAt @3 :Text;
}

struct Answers {
  answers @0 :List(Answer);
}

struct Answer {
  status @0 :UInt16;               # as in HTTP
  code @1 :Text;                   # of a problem: out_of_stock, ...; empty: none
  replayed @2 :Bool;
  version @3 :UInt64;              # 0: none
  position @4 :Text;               # shard:seq, several with commas; empty: none
  entityId @5 :Text;               # the id or SKU that was created or changed (of the order for a check-out)
  body @6 :Text;                   # JSON: the document, or the problem; empty: minimal
  bodyOmitted @7 :Bool;            # the answers had become too large in all
}
