#include "gateway/api/batch/capnp_command.h"

#include "events/utf8.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

std::string_view view(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }

/// Fills the input of one command from its struct, field by field by the same table as JSON.
class Fill {
 public:
  Fill(const CommandShape& shape, CommandInput& out, CommandReader& reader, Problem& problem)
      : shape_(shape), out_(out), reader_(reader), problem_(problem) {}

  bool text(FieldId id, capnp::Text::Reader value) {
    return text(field(id), view(value), out_.fields);
  }
  bool integer(FieldId id, std::int64_t value) {
    return take_integer(field(id), value, out_.fields, problem_);
  }
  bool price(FieldId id, schema::Price::Reader value) {
    return price(field(id), value, out_.fields);
  }

  bool payment(schema::PaymentChoice::Reader value) {
    const auto& payment = field(FieldId::payment);
    const bool good =
        (!value.hasMethod() || text(payment.members[0], view(value.getMethod()), out_.fields)) &&
        (!value.hasToken() || text(payment.members[1], view(value.getToken()), out_.fields)) &&
        check_members(payment.members, out_.fields, problem_);
    if (!good) return inside("payment.");
    out_.fields.present |= bit_of(FieldId::payment);
    return true;
  }

  bool address(capnp::Text::Reader value) {
    // simdjson wants readable bytes behind the text.
    std::string padded(view(value));
    padded.append(64, '\0');
    std::string shortest;
    if (!reader_.read_object(std::string_view(padded).substr(0, value.size()), shortest,
                             problem_)) {
      problem_ = invalid_request("shipping_address", "must be a JSON object");
      return false;
    }
    return take_address(field(FieldId::shipping_address), std::move(shortest), out_, problem_);
  }

  bool lines(capnp::List<schema::CommandLine>::Reader list) {
    const auto& lines = field(FieldId::lines);
    if (list.size() < lines.min || list.size() > lines.max) {
      problem_ = wrong_type(lines);
      return false;
    }
    for (const auto line : list)
      if (!one_line(lines.members, line))
        return inside("lines[" + std::to_string(out_.lines.size()) + "].");
    out_.fields.present |= bit_of(FieldId::lines);
    return true;
  }

  bool category(capnp::List<capnp::Text>::Reader list) {
    for (const auto level : list)
      if (!take_category_level(field(FieldId::category), view(level), out_, problem_)) return false;
    return true;
  }

  bool images(capnp::List<capnp::Text>::Reader list) {
    for (const auto image : list)
      if (!take_image(field(FieldId::images), view(image), out_, problem_)) return false;
    return true;
  }

  /// `id`: a field of the type `attributes`.
  bool named(FieldId id, capnp::List<schema::NamedText>::Reader list) {
    const auto& names = field(id);
    out_.fields.present |= bit_of(id);
    for (const auto one : list)
      if (!take_attribute(names, view(one.getName()), view(one.getValue()), out_, problem_))
        return false;
    if (finish_attributes(names, out_)) return true;
    problem_ = invalid_request(std::string(names.name), "a name stands twice");
    return false;
  }

  void active(bool value) { out_.fields.set(FieldId::active, {{}, value ? 1 : 0}); }
  bool complete() { return check_complete(shape_, out_, problem_); }

 private:
  const Field& field(FieldId id) const {
    for (const auto& one : shape_.fields)
      if (one.id == id) return one;
    SOUK_ASSERT(!"the schema and the table of this command differ");
    return shape_.fields.front();
  }

  bool text(const Field& field, std::string_view value, FieldSet& set) {
    if (utf8_valid(value)) return take_text(field, value, set, problem_);
    problem_ = invalid_request(std::string(field.name), "is not UTF-8");
    return false;
  }

  bool price(const Field& field, schema::Price::Reader value, FieldSet& set) {
    return take_money(field, Micros{value.getMicros()}, view(value.getCurrency()), set, problem_);
  }

  bool one_line(std::span<const Field> members, schema::CommandLine::Reader line) {
    FieldSet set;
    for (const auto& member : members) {
      if (member.id == FieldId::sku && line.hasSku() && !text(member, view(line.getSku()), set))
        return false;
      if (member.id == FieldId::quantity &&
          !take_integer(member, line.getQuantity(), set, problem_))
        return false;
      if (member.id == FieldId::unit_price && line.hasUnitPrice() &&
          !price(member, line.getUnitPrice(), set))
        return false;
    }
    if (find_field(members, "unit_price") == nullptr && line.hasUnitPrice()) {
      problem_ = invalid_request("unit_price", "is not known here");
      return false;
    }
    if (!check_members(members, set, problem_)) return false;
    take_line(set, out_);
    return true;
  }

  bool inside(const std::string& outer) {
    problem_.path = outer + problem_.path;
    return false;
  }

  const CommandShape& shape_;
  CommandInput& out_;
  CommandReader& reader_;
  Problem& problem_;
};

// One overload a struct of the schema. A text that is not set is not given.
#define SOUK_TEXT(ID, NAME) (!from.has##NAME() || fill.text(FieldId::ID, from.get##NAME()))

bool read(Fill& fill, schema::PutProductCommand::Reader from) {
  fill.active(from.getActive());
  return SOUK_TEXT(sku, Sku) && SOUK_TEXT(name, Name) && SOUK_TEXT(description, Description) &&
         SOUK_TEXT(brand, Brand) && (!from.hasCategory() || fill.category(from.getCategory())) &&
         (!from.hasAttributes() || fill.named(FieldId::attributes, from.getAttributes())) &&
         (!from.hasImages() || fill.images(from.getImages())) && SOUK_TEXT(barcode, Barcode) &&
         SOUK_TEXT(group, Group) &&
         (!from.hasOptions() || fill.named(FieldId::options, from.getOptions())) &&
         (!from.hasPrice() || fill.price(FieldId::price, from.getPrice()));
}
bool read(Fill& fill, schema::ReceiveStockCommand::Reader from) {
  return SOUK_TEXT(sku, Sku) && fill.integer(FieldId::quantity, from.getQuantity()) &&
         SOUK_TEXT(reference, Reference);
}
bool read(Fill& fill, schema::AdjustStockCommand::Reader from) {
  return SOUK_TEXT(sku, Sku) && fill.integer(FieldId::delta, from.getDelta()) &&
         SOUK_TEXT(reason, Reason);
}
bool read(Fill& fill, schema::RegisterUserCommand::Reader from) {
  return SOUK_TEXT(email, Email) && SOUK_TEXT(name, Name) && SOUK_TEXT(country, Country);
}
bool read(Fill& fill, schema::UpdateUserCommand::Reader from) {
  return SOUK_TEXT(user_id, UserId) && SOUK_TEXT(email, Email) && SOUK_TEXT(name, Name) &&
         SOUK_TEXT(country, Country);
}
bool read(Fill& fill, schema::OpenCartCommand::Reader from) {
  return SOUK_TEXT(user_id, UserId) && SOUK_TEXT(currency, Currency);
}
bool read(Fill& fill, schema::AddItemCommand::Reader from) {
  return SOUK_TEXT(cart_id, CartId) && SOUK_TEXT(sku, Sku) &&
         fill.integer(FieldId::quantity, from.getQuantity()) &&
         (!from.hasUnitPrice() || fill.price(FieldId::unit_price, from.getUnitPrice()));
}
bool read(Fill& fill, schema::SetItemCommand::Reader from) {
  return SOUK_TEXT(cart_id, CartId) && SOUK_TEXT(sku, Sku) &&
         fill.integer(FieldId::quantity, from.getQuantity());
}
bool read(Fill& fill, schema::RemoveItemCommand::Reader from) {
  return SOUK_TEXT(cart_id, CartId) && SOUK_TEXT(sku, Sku);
}
bool read(Fill& fill, schema::CheckOutCommand::Reader from) {
  return SOUK_TEXT(cart_id, CartId) && (!from.hasPayment() || fill.payment(from.getPayment())) &&
         (!from.hasShippingAddress() || fill.address(from.getShippingAddress())) &&
         SOUK_TEXT(occurred_at, OccurredAt);
}
bool read(Fill& fill, schema::PlaceOrderCommand::Reader from) {
  return SOUK_TEXT(user_id, UserId) && (!from.hasLines() || fill.lines(from.getLines())) &&
         (!from.hasPayment() || fill.payment(from.getPayment())) &&
         (!from.hasShippingAddress() || fill.address(from.getShippingAddress())) &&
         SOUK_TEXT(occurred_at, OccurredAt);
}
bool read(Fill& fill, schema::ReturnOrderCommand::Reader from) {
  return SOUK_TEXT(order_id, OrderId) && (!from.hasLines() || fill.lines(from.getLines())) &&
         SOUK_TEXT(occurred_at, OccurredAt);
}
bool read(Fill& fill, schema::RefundOrderCommand::Reader from) {
  return SOUK_TEXT(order_id, OrderId) &&
         (!from.hasAmount() || fill.price(FieldId::amount, from.getAmount()));
}
bool read(Fill& fill, schema::AcceptReturnCommand::Reader from) {
  return SOUK_TEXT(user_id, UserId) && (!from.hasLines() || fill.lines(from.getLines())) &&
         SOUK_TEXT(reference, Reference) && SOUK_TEXT(occurred_at, OccurredAt);
}
#undef SOUK_TEXT

class CommandOfCapnp {
 public:
  explicit CommandOfCapnp(CommandReader& reader) : reader_(reader) {}

  bool read_command(schema::Command::Reader command, BatchCommand& out, Problem& problem) {
    if (command.hasIdempotencyKey()) {
      out.conditions.key = view(command.getIdempotencyKey());
      if (!is_idempotency_key(out.conditions.key)) {
        problem = invalid_request("idempotency_key", "must be 1 to 255 printable ASCII characters");
        return false;
      }
    }
    if (command.getIfMatchSet()) out.conditions.preconditions = if_version(command.getIfMatch());
    if (command.getIfAbsent())
      out.conditions.preconditions = if_absent(out.conditions.preconditions.get());
    if (command.getMinimal()) out.conditions.wants = Wants::minimal;
    out.conditions.wait_final = command.getWaitFinal();
    if (!read_union(command, out, problem)) return false;
    if (out.conditions.wait_final && out.shape->waits == Waits::no) {
      problem = invalid_request("wait", "this command has nothing to wait for");
      return false;
    }
    return true;
  }

 private:
  template <class Reader>
  bool filled(Action action, Reader from, BatchCommand& out, Problem& problem) {
    out.shape = &shape_of(action);
    Fill fill(*out.shape, out.input, reader_, problem);
    return read(fill, from) && fill.complete();
  }
  /// A command that is all said by one id.
  bool named(Action action, FieldId id, capnp::Text::Reader value, BatchCommand& out,
             Problem& problem) {
    out.shape = &shape_of(action);
    return Fill(*out.shape, out.input, reader_, problem).text(id, value);
  }

  bool read_union(schema::Command::Reader c, BatchCommand& out, Problem& problem) {
    using Which = schema::Command::Which;
    switch (c.which()) {
      case Which::PUT_PRODUCT:
        return filled(Action::put_product, c.getPutProduct(), out, problem);
      case Which::DELIST_PRODUCT:
        return named(Action::delist_product, FieldId::sku, c.getDelistProduct(), out, problem);
      case Which::RECEIVE_STOCK:
        return filled(Action::receive_stock, c.getReceiveStock(), out, problem);
      case Which::ADJUST_STOCK:
        return filled(Action::adjust_stock, c.getAdjustStock(), out, problem);
      case Which::REGISTER_USER:
        return filled(Action::register_user, c.getRegisterUser(), out, problem);
      case Which::UPDATE_USER:
        return filled(Action::update_user, c.getUpdateUser(), out, problem);
      case Which::ERASE_USER:
        return named(Action::erase_user, FieldId::user_id, c.getEraseUser(), out, problem);
      case Which::OPEN_CART:
        return filled(Action::open_cart, c.getOpenCart(), out, problem);
      case Which::ADD_ITEM:
        return filled(Action::add_item, c.getAddItem(), out, problem);
      case Which::SET_ITEM:
        return filled(Action::set_item, c.getSetItem(), out, problem);
      case Which::REMOVE_ITEM:
        return filled(Action::remove_item, c.getRemoveItem(), out, problem);
      case Which::CHECK_OUT:
        return filled(Action::check_out, c.getCheckOut(), out, problem);
      case Which::PLACE_ORDER:
        return filled(Action::place_order, c.getPlaceOrder(), out, problem);
      case Which::CANCEL_ORDER:
        return named(Action::cancel_order, FieldId::order_id, c.getCancelOrder(), out, problem);
      case Which::SHIP_ORDER:
        return named(Action::ship_order, FieldId::order_id, c.getShipOrder(), out, problem);
      case Which::DELIVER_ORDER:
        return named(Action::deliver_order, FieldId::order_id, c.getDeliverOrder(), out, problem);
      case Which::RETURN_ORDER:
        return filled(Action::return_order, c.getReturnOrder(), out, problem);
      case Which::REFUND_ORDER:
        return filled(Action::refund_order, c.getRefundOrder(), out, problem);
      case Which::ACCEPT_RETURN:
        return filled(Action::accept_return, c.getAcceptReturn(), out, problem);
      case Which::ERASE_ORDER:
        return named(Action::erase_order, FieldId::order_id, c.getEraseOrder(), out, problem);
    }
    problem = invalid_request("command", "is not a command");
    return false;
  }

  CommandReader& reader_;
};

}  // namespace

bool read_capnp_command(schema::Command::Reader command, CommandReader& reader, BatchCommand& out,
                        Problem& problem) {
  return CommandOfCapnp(reader).read_command(command, out, problem);
}

}  // namespace souk
