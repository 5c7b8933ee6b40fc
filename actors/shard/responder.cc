#include "actors/shard/responder.h"

#include "actors/shard/documents.h"

namespace souk {
namespace {

/// What the process that sent the step is told.
ProcessAnswer process_answer(const Request& request, const Reply& reply) {
  ProcessAnswer a{.entity = request.reply_to.entity};
  if (const auto* claim = std::get_if<ClaimEmail>(&request.op))
    a.answer = EmailAnswer{claim->email, request.op.index(), reply.code, claim->number};
  else if (const auto* release = std::get_if<FreeEmail>(&request.op))
    a.answer = EmailAnswer{release->email, request.op.index(), reply.code, release->number};
  else
    a.answer = StockAnswer{.op = request.op.index(),
                           .sku = Sku::trusted(target_of(request.op).id()),
                           .code = reply.code,
                           .refusal = reply.refusal};
  return a;
}

}  // namespace

Reply Responder::reply_to(const Request& request, ReplyCode code) const {
  return {.ticket = request.reply_to.ticket,
          .code = code,
          .op = static_cast<std::uint8_t>(request.op.index()),
          .entity = target_of(request.op),
          .shard = id_,
          .seq = gate_.committed()};
}

void Responder::answer(const Request& request, Reply&& reply, Seq depends_on) {
  switch (request.reply_to.who) {
    case ReplyTo::Who::nobody:
      return;
    case ReplyTo::Who::client:
      reply.seq = std::max(depends_on, gate_.committed());  // all up to there is in what was read
      if (request.level == ReadLevel::standby && depends_on <= gate_.committed())
        return gate_.put_out(AddressedReply(request.reply_to.sink, std::move(reply)));
      return gate_.leave(depends_on, AddressedReply(request.reply_to.sink, std::move(reply)));
    case ReplyTo::Who::process:
      if (reply.code == ReplyCode::unavailable) return;  // the process asks again by its timer
      return gate_.leave_in_order(depends_on, ShardInput(process_answer(request, reply)));
  }
}

void Responder::not_found(const Request& request) {
  const Entity* e = entities_.entity_of(target_of(request.op));
  answer(request, ReplyCode::not_found, e ? e->seq : 0);
}

void Responder::refused(const Request& request, Refused refused, Seq depends_on) {
  Reply reply = reply_to(request, ReplyCode::refused);
  reply.refusal = refused.reason;
  reply.detail = refused.detail;
  answer(request, std::move(reply), depends_on);
}

void Responder::respond(const Request& request, ReplyCode code, Version version, Seq seq,
                        Replayed replayed, std::vector<ShardId> also_on, const Past& past) {
  Reply reply = reply_to(request, code);
  reply.also_on = std::move(also_on);
  reply.replayed = replayed == Replayed::yes;
  show(request, std::move(reply), version, seq, past);
}

void Responder::show(const Request& request, Reply&& reply, Version version, Seq seq,
                     const Past& past) {
  reply.version = version;
  if (request.wants == Wants::body || reply.code == ReplyCode::created)
    render(entities_, presenter_, request.op, version, past, reply.body);
  answer(request, std::move(reply), seq);
}

}  // namespace souk
