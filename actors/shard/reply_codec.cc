#include "actors/ports/op_role.h"
#include "actors/shard/peer_wire.h"
#include "actors/shard/request_codec.h"

namespace souk {
namespace {

using namespace wire;

static_assert(op_count <= 256);  // Reply::op
// Sent by its number: append only.
static_assert(static_cast<int>(ReplyCode::ok) == 0 && static_cast<int>(ReplyCode::bound) == 12);

void put_body(schema::NodeReply::Builder to, const Body& body) {
  const auto& [json, sealed] = body;
  to.setBody(as_data(json));
  if (sealed.empty()) return;
  auto members = to.initSealed(static_cast<unsigned>(sealed.size()));
  for (unsigned i = 0; i < members.size(); ++i) {
    const auto& [offset, person, bytes, raw] = sealed[i];
    members[i].setOffset(static_cast<std::uint32_t>(offset));
    write(members[i].initPerson(), person);
    members[i].setSealed(as_data(bytes));
    members[i].setRaw(raw);
  }
}

Body body(schema::NodeReply::Reader from) {
  Body of{.json = std::string(view(from.getBody())), .sealed = {}};
  const auto members = from.getSealed();
  of.sealed.reserve(members.size());
  std::size_t before = 0;
  for (const auto member : members) {
    const std::size_t offset = member.getOffset();
    check(offset >= before && offset <= of.json.size());
    before = offset;
    of.sealed.push_back({.offset = offset,
                         .person = entity(member.getPerson()),
                         .sealed = {std::string(view(member.getSealed()))},
                         .raw = member.getRaw()});
  }
  return of;
}

/// No shard has a number beyond.
ShardId shard(std::uint16_t number) {
  check(number < limits::shards_max);
  return {number};
}

std::uint8_t op(capnp::Text::Reader name) {
  const auto index = op_named(view(name));
  if (!index) newer("is to an operation that this build does not know");
  return static_cast<std::uint8_t>(*index);
}

Reply reply_of(schema::NodeReply::Reader from) {
  Reply reply;
  reply.code = known(from.getCode(), ReplyCode::bound, "has a code that this build does not know");
  reply.refusal =
      known(from.getRefusal(), Refusal::of_a_user, "has a refusal that this build does not know");
  known(from.getDetail(), OrderStatus::returned, "has a status that this build does not know");
  reply.detail = from.getDetail();
  reply.replayed = from.getReplayed();
  reply.op = op(from.getOp());
  if (from.hasEntity()) reply.entity = entity(from.getEntity());
  reply.version = from.getVersion();
  reply.beside_version = from.getBesideVersion();
  reply.shard = shard(from.getShard());
  reply.seq = from.getSeq();
  const auto also_on = from.getAlsoOn();
  check(also_on.size() <= limits::shards_max);
  reply.also_on.reserve(also_on.size());
  for (const auto number : also_on) reply.also_on.push_back(shard(number));
  reply.currency = currency(from.getCurrency());
  reply.body = body(from);
  return reply;
}

}  // namespace

std::string encode(const Reply& reply) {
  return encoded([&](capnp::MessageBuilder& builder) {
    const auto& [ticket, code, refusal, detail, replayed, op_index_of, entity_of, version,
                 beside_version, shard_of_it, seq, also_on, currency_of, body_of] = reply;
    auto to = builder.initRoot<schema::NodeReply>();
    to.setCode(static_cast<std::uint8_t>(code));
    to.setRefusal(static_cast<std::uint16_t>(refusal));
    to.setDetail(detail);
    to.setReplayed(replayed);
    const auto name = op_name_at(op_index_of);
    name.copy(to.initOp(static_cast<unsigned>(name.size())).begin(), name.size());
    if (entity_of.kind() != Kind::none) write(to.initEntity(), entity_of);
    to.setVersion(version);
    to.setBesideVersion(beside_version);
    to.setShard(shard_of_it.value);
    to.setSeq(seq);
    if (!also_on.empty()) {
      auto shards = to.initAlsoOn(static_cast<unsigned>(also_on.size()));
      for (unsigned i = 0; i < shards.size(); ++i) shards.set(i, also_on[i].value);
    }
    to.setCurrency(CurrencyText(currency_of));
    put_body(to, body_of);
  });
}

Result<Reply, Fault> decode_reply(std::string_view bytes) {
  Reply reply;
  auto fault = decode(bytes, "a node's reply", [&](capnp::MessageReader& reader) {
    reply = reply_of(reader.getRoot<schema::NodeReply>());
  });
  if (fault) return *std::move(fault);
  return reply;
}

}  // namespace souk
