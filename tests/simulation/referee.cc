#include "tests/simulation/referee.h"

namespace souk::simulation {
namespace {

constexpr const char* reply_code_names[] = {"ok",
                                            "created",
                                            "accepted",
                                            "refused",
                                            "not_found",
                                            "version_mismatch",
                                            "idempotency_conflict",
                                            "unavailable",
                                            "overloaded",
                                            "position_not_reached",
                                            "not_done",
                                            "admitted",
                                            "bound"};

std::optional<Sighting::Document> document_of(const Op& op) {
  using Document = Sighting::Document;
  const std::optional<Document> none;
  return std::visit(Overloaded{
                        [](const GetCart&) { return std::make_optional(Document::cart); },
                        [](const AddItem&) { return std::make_optional(Document::cart); },
                        [](const SetItem&) { return std::make_optional(Document::cart); },
                        [](const RemoveItem&) { return std::make_optional(Document::cart); },
                        [](const GetOrder&) { return std::make_optional(Document::order); },
                        [](const CancelOrder&) { return std::make_optional(Document::order); },
                        [](const ShipOrder&) { return std::make_optional(Document::order); },
                        [](const DeliverOrder&) { return std::make_optional(Document::order); },
                        [](const ReturnOrder&) { return std::make_optional(Document::order); },
                        [](const RefundOrder&) { return std::make_optional(Document::order); },
                        [](const AcceptReturn&) { return std::make_optional(Document::order); },
                        [](const EraseOrder&) { return std::make_optional(Document::order); },
                        [](const GetStock&) { return std::make_optional(Document::stock); },
                        [](const ReceiveStock&) { return std::make_optional(Document::stock); },
                        [](const AdjustStock&) { return std::make_optional(Document::stock); },
                        [](const GetProduct&) { return std::make_optional(Document::product); },
                        [](const PutProduct&) { return std::make_optional(Document::product); },
                        [](const GetUser&) { return std::make_optional(Document::user); },
                        [](const UpdateUser&) { return std::make_optional(Document::user); },
                        [&](const auto&) { return none; },
                    },
                    op);
}

std::string body_of(const Reply& reply) {
  std::string text = reply.body.json;
  for (const auto& member : reply.body.sealed)
    text += "@" + std::to_string(member.offset) + "=" + member.sealed.bytes;
  return text;
}

}  // namespace

bool is_answer(ReplyCode code) {
  return code != ReplyCode::unavailable && code != ReplyCode::overloaded &&
         code != ReplyCode::not_done;
}

bool is_remembered(const Request& request, const Reply& reply) {
  if (request.key_hash == 0 || is_read(request.op)) return false;
  switch (reply.code) {
    case ReplyCode::ok:
    case ReplyCode::created:
    case ReplyCode::accepted:
      return true;
    case ReplyCode::refused:  // there is nobody to remember what was asked of somebody unknown
      if (reply.refusal == Refusal::unknown_user) return false;
      return reply.refusal != Refusal::unknown_product || target_of(request.op).kind() != Kind::sku;
    default:
      return false;
  }
}

std::string describe(const Request& request) {
  return std::string(op_name(request.op)) + " " + target_of(request.op).text() +
         (request.key_hash ? " key=" + std::to_string(request.key_hash) : "");
}

std::string describe(const Reply& reply) {
  std::string text = reply_code_names[static_cast<std::size_t>(reply.code)];
  if (reply.refusal != Refusal::none) text += "/" + std::string(refusal_code(reply.refusal));
  return text + " version=" + std::to_string(reply.version) +
         " shard=" + std::to_string(reply.shard.value) + " position=" + std::to_string(reply.seq) +
         (reply.replayed ? " replayed" : "") + " " + body_of(reply);
}

Command& Referee::add(Request&& request) {
  if (const auto* erase = std::get_if<EraseOrder>(&request.op))
    erased_orders_.insert(EntityKey(erase->order));
  commands_.push_back(std::make_unique<Command>());
  commands_.back()->number = commands_.size() - 1;
  commands_.back()->request = std::move(request);
  return *commands_.back();
}

void Referee::saw(Command& command, const Reply& reply) {
  const Request& request = command.request;
  if (!is_answer(reply.code)) return;
  if (command.wrong_body) {
    if (reply.code != ReplyCode::idempotency_conflict)
      world_.violated("P2", describe(request) + " with a key used before and another body got " +
                                describe(reply));
    return;
  }
  if (is_read(request.op) && reply.code == ReplyCode::ok && reply.seq < request.min_seq)
    world_.violated("P5", describe(request) + " asked for position " +
                              std::to_string(request.min_seq) + ", got " + describe(reply));
  Seq& newest = positions_[reply.shard.value];
  newest = std::max(newest, reply.seq);
  note_sight(command, reply);
  if (is_read(request.op)) {
    if (!command.answer) command.answer = reply;
    return;
  }
  const bool waits = request.wait_final && reply.code == ReplyCode::accepted;
  auto& first = waits ? command.unfinal : command.answer;
  if (!first)
    first = reply;
  else
    compare(command, *first, reply);
}

void Referee::compare(const Command& command, const Reply& first, const Reply& later) {
  const Request& request = command.request;
  if (!is_remembered(request, first)) return;
  const auto* update = std::get_if<UpdateUser>(&request.op);
  const bool forgotten = update && erased_.contains(update->user);
  const EntityKey target = target_of(request.op);
  const auto same_body = [&] {
    return erased_orders_.contains(target) ? same_document(target, first.body.json, later.body.json)
                                           : body_of(first) == body_of(later);
  };
  const bool same = first.code == later.code && first.refusal == later.refusal &&
                    first.detail == later.detail && first.entity == later.entity &&
                    (forgotten || (first.version == later.version && same_body()));
  if (!same)
    world_.violated("P2", describe(request) + " was answered " + describe(first) + " and then " +
                              describe(later));
  if (!later.replayed && !first.replayed)
    world_.violated("P2", describe(request) + " took effect twice: " + describe(first) + " and " +
                              describe(later));
}

bool Referee::same_document(const EntityKey& entity, const std::string& a,
                            const std::string& b) const {
  if (!erased_orders_.contains(entity)) return a == b;
  const auto without_address = [](std::string text) {
    const std::string member = "\"shipping_address\":,";  // what is sealed stands beside it
    if (const auto at = text.find(member); at != std::string::npos) text.erase(at, member.size());
    return text;
  };
  return without_address(a) == without_address(b);
}

void Referee::note_sight(const Command& command, const Reply& reply) {
  if (reply.code != ReplyCode::ok && reply.code != ReplyCode::created) return;
  const auto document = document_of(command.request.op);
  if (!document || reply.version == 0) return;
  const Sighting what{target_of(command.request.op), *document, reply.version};
  const bool exact =
      *document != Sighting::Document::product && *document != Sighting::Document::user;
  const Sight now{exact || is_read(command.request.op) ? reply.body.json : "", reply.seq,
                  command.number};
  auto [at, fresh] = sightings_.try_emplace(what, now);
  if (fresh) return;
  Sight& before = at->second;
  before.position = std::min(before.position, reply.seq);
  if (exact && !same_document(what.entity, before.json, now.json))
    world_.violated("P1", what.entity.text() + " at version " + std::to_string(what.version) +
                              " was shown with two contents: " + before.json + " and " + now.json);
}

}  // namespace souk::simulation
