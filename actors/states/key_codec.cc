/// The stored form of what is known of idempotency keys beside other entities.
#include "actors/states/state_codec.h"
#include "actors/states/stored_form.h"

namespace souk {
namespace {

void write(schema::StoredLeftAnswer::Builder to, const LeftAnswer& left) {
  stored::write(to.initAnswer(), left.answer);
  if (left.figures) stored::write(to.initFigures(), *left.figures);
  if (left.profile) stored::write(to.initProfile(), *left.profile);
  to.setPage(left.page);
}

LeftAnswer read(schema::StoredLeftAnswer::Reader from) {
  LeftAnswer left{.answer = stored::read(from.getAnswer()), .figures = {}, .profile = {}};
  if (from.hasFigures()) left.figures = stored::read(from.getFigures());
  if (from.hasProfile()) left.profile = stored::read(from.getProfile());
  left.page = from.getPage();
  return left;
}

}  // namespace

KeyHash beside(ShardId shard, const EntityKey& entity, Beside what, std::uint64_t number) {
  std::string name(entity.id());
  name.push_back(static_cast<char>(entity.kind()));
  name.push_back(static_cast<char>(what));
  name.append(reinterpret_cast<const char*>(&number), sizeof number);
  const std::uint64_t first = stable_hash(name);
  name.push_back(1);
  const std::uint64_t second = stable_hash(name);
  KeyHash key;
  std::memcpy(key.raw.bytes.data(), &first, sizeof first);
  std::memcpy(key.raw.bytes.data() + sizeof first, &second, sizeof second);
  key.raw.bytes[0] = static_cast<std::uint8_t>(shard.value >> 8);
  key.raw.bytes[1] = static_cast<std::uint8_t>(shard.value & 0xff);
  return key;
}

std::string encode(const KeyState& state) {
  return stored::pack([&](schema::State::Builder root) {
    auto to = root.initKey();
    to.setKind(static_cast<std::uint8_t>(state.key.target.kind()));
    if (!state.key.target.id().empty()) to.setId(stored::as_data(state.key.target.id()));
    to.setRequestHash(state.key.request_hash);
    to.setAt(state.key.at_ms);
    if (!state.left.empty()) write(to.initLeft(), state.left.front());
    if (!state.page.empty()) stored::write(to.initPage(), state.page.front());
  });
}

Result<KeyState, Fault> decode_key(std::string_view bytes) {
  KeyState state;
  const auto fault = stored::unpack(bytes, schema::State::KEY, [&](schema::State::Reader root) {
    const auto from = root.getKey();
    const auto id = stored::view(from.getId());
    stored::check(id.size() <= limits::sku_bytes_max);
    state.key = {.target = EntityKey{stored::enumerator(from.getKind(), Kind::key), id},
                 .request_hash = from.getRequestHash(),
                 .at_ms = from.getAt()};
    if (from.hasLeft()) state.left.push_back(read(from.getLeft()));
    if (from.hasPage()) stored::read(from.getPage(), state.page.emplace_back());
  });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const KeyState& state) {
  std::size_t bytes = sizeof(state) + stored::heap_of(state.left) + stored::heap_of(state.page);
  for (const auto& left : state.left)
    if (left.profile)
      bytes +=
          stored::heap_of(left.profile->sealed_email) + stored::heap_of(left.profile->sealed_name);
  for (const auto& cart : state.page)
    bytes += stored::heap_of(cart.lines) + stored::heap_of(cart.undo);
  return bytes;
}

}  // namespace souk
