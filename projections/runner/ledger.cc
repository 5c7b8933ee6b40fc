#include "projections/runner/ledger.h"

#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <kj/exception.h>

#include "schema/projections.capnp.h"

namespace souk {

std::string encode(const Ledger& ledger) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::RunnerCheckpoint>();
  root.setVersion(ledger.version);
  auto shards = root.initShards(static_cast<unsigned>(ledger.shards.size()));
  for (unsigned i = 0; i < shards.size(); ++i) {
    shards[i].setSeq(ledger.shards[i].seq);
    shards[i].setEpoch(ledger.shards[i].epoch);
    const std::string place = encode(ledger.shards[i]);
    shards[i].setPlace({reinterpret_cast<const kj::byte*>(place.data()), place.size()});
  }
  if (!ledger.directory.zero()) {
    root.setDirectory({ledger.directory.bytes.data(), ledger.directory.bytes.size()});
  }
  auto stale = root.initStale(static_cast<unsigned>(ledger.stale.size()));
  unsigned at = 0;
  for (const auto& [entity, s] : ledger.stale) {
    auto to = stale[at++];
    to.setShard(s.shard.value);
    to.setSeq(s.seq);
    to.setKind(static_cast<std::uint8_t>(entity.kind()));
    to.setId({reinterpret_cast<const kj::byte*>(entity.id().data()), entity.id().size()});
    to.setWhy(s.why.c_str());
    to.setAt(s.at.value);
    to.setHeld(s.held);
  }
  kj::VectorOutputStream out;
  capnp::writePackedMessage(out, message);
  const auto bytes = out.getArray();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

Result<Ledger, Fault> decode_ledger(std::string_view bytes) {
  try {
    kj::ArrayInputStream in({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
    capnp::PackedMessageReader message(in);
    const auto root = message.getRoot<schema::RunnerCheckpoint>();
    Ledger ledger(root.getVersion(), root.getShards().size());
    for (unsigned i = 0; i < root.getShards().size(); ++i) {
      const auto shard = root.getShards()[i];
      if (shard.hasPlace()) {
        const auto place = shard.getPlace();
        auto state =
            decode_fold_state({reinterpret_cast<const char*>(place.begin()), place.size()});
        if (!state.ok()) return state.error();
        ledger.shards[i] = std::move(*state);
      } else {
        ledger.shards[i].seq = shard.getSeq();
        ledger.shards[i].epoch = shard.getEpoch();
        if (shard.getSeq() > 0) ledger.shards[i].chain.reset();
      }
    }
    if (const auto id = root.getDirectory(); id.size() != 0) {
      const auto directory =
          Id128::from_bytes({reinterpret_cast<const char*>(id.begin()), id.size()});
      if (!directory) return Fault{Fault::Kind::corrupt, "a directory's id of another length"};
      ledger.directory = *directory;
    }
    for (const auto s : root.getStale()) {
      const auto id = s.getId();
      if (id.size() > limits::sku_bytes_max) return Fault{Fault::Kind::corrupt, "an id too long"};
      Stale stale{.shard = {s.getShard()},
                  .seq = s.getSeq(),
                  .entity = EntityKey(static_cast<Kind>(s.getKind()),
                                      {reinterpret_cast<const char*>(id.begin()), id.size()}),
                  .why = s.getWhy(),
                  .at = {s.getAt()},
                  .held = s.getHeld()};
      ledger.stale.emplace(stale.entity, stale);
    }
    return ledger;
  } catch (const kj::Exception& e) {
    return Fault{Fault::Kind::corrupt,
                 std::string("a read model's checkpoint: ") + e.getDescription().cStr()};
  }
}

}  // namespace souk
