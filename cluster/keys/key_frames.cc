#include "cluster/keys/key_frames.h"

namespace souk::cluster {

namespace {

constexpr std::size_t id_bytes = sizeof(Id128::bytes);

struct Writer {
  std::string bytes;

  template <class T>
  void number(T value) {
    append_le<T>(bytes, value);
  }
  void place(const std::string& at) {
    SOUK_ASSERT(at.size() < 256);
    number(static_cast<std::uint8_t>(at.size()));
    bytes.append(at);
  }
  void range(const KeyRange& range) {
    number(static_cast<std::uint8_t>(range.what));
    number(range.bucket);
    place(range.after);
    place(range.to);
  }
  void person(const PersonId& person) {
    number(static_cast<std::uint8_t>(person.kind()));
    bytes.append(person.id());
  }
  void persons(const std::vector<PersonId>& all) {
    number(static_cast<std::uint32_t>(all.size()));
    for (const auto& one : all) person(one);
  }
  void records(const std::vector<KeyRecord>& all) {
    number(static_cast<std::uint32_t>(all.size()));
    for (const auto& record : all) {
      person(record.person);
      number(static_cast<std::uint16_t>(record.wrapped.size()));
      bytes.append(record.wrapped);
    }
  }
};

/// `bad` from the first thing that is not as it must be; what is read then is zero.
struct Reader {
  std::string_view rest;
  bool bad = false;

  std::string_view take(std::size_t size) {
    if (bad || rest.size() < size) {
      bad = true;
      return {};
    }
    const auto taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }
  template <class T>
  T number() {
    const auto taken = take(sizeof(T));
    return bad ? T{} : read_le<T>(taken);
  }
  std::string place() { return std::string(take(number<std::uint8_t>())); }
  KeyRange range() {
    KeyRange range;
    const auto what = number<std::uint8_t>();
    if (what > 1) bad = true;
    range.what = what == 1 ? KeyClass::present : KeyClass::destroyed;
    range.bucket = number<std::uint8_t>();
    range.after = place();
    range.to = place();
    return range;
  }
  PersonId person() {
    const auto kind = static_cast<Kind>(number<std::uint8_t>());
    const auto id = take(id_bytes);
    if (kind != Kind::user && kind != Kind::cart && kind != Kind::order) bad = true;
    return bad ? PersonId() : PersonId(kind, id);
  }
  /// Of things of `each` bytes or more: what is promised is there.
  std::size_t count(std::size_t each) {
    const auto count = number<std::uint32_t>();
    if (count > rest.size() / each) bad = true;
    return bad ? 0 : count;
  }
  std::vector<PersonId> persons() {
    std::vector<PersonId> all(count(1 + id_bytes));
    for (auto& one : all) one = person();
    return all;
  }
  std::vector<KeyRecord> records() {
    std::vector<KeyRecord> all(count(3 + id_bytes));
    for (auto& record : all) {
      record.person = person();
      record.wrapped = take(number<std::uint16_t>());
    }
    return all;
  }
};

KeyFrame read(std::uint8_t kind, Reader& from) {
  switch (kind) {
    case 1: {
      KeySummary summary;
      summary.secret_check = from.number<std::uint64_t>();
      for (auto& sums : summary.digests.sums)
        for (auto& sum : sums) sum = from.number<std::uint64_t>();
      return summary;
    }
    case 2:
      return KeyReady{};
    case 3: {
      KeyWant want{from.range(), {}};
      want.without.resize(from.count(sizeof(std::uint64_t)));
      for (auto& print : want.without) print = from.number<std::uint64_t>();
      return want;
    }
    case 4: {
      auto range = from.range();
      return KeyHave{std::move(range), from.records()};
    }
    case 5: {
      const auto number = from.number<std::uint64_t>();
      return KeyPut{number, from.records()};
    }
    case 6:
      return KeyAck{from.number<std::uint64_t>()};
    case 7:
      return KeyAsk{from.persons()};
    default: {
      auto absent = from.persons();
      return KeyTold{std::move(absent), from.records()};
    }
  }
}

}  // namespace

std::string encode(const KeyFrame& frame) {
  Writer to;
  to.number(static_cast<std::uint8_t>(frame.index() + 1));
  std::visit(Overloaded{[&](const KeySummary& f) {
                          to.number(f.secret_check);
                          for (const auto& sums : f.digests.sums)
                            for (const auto sum : sums) to.number(sum);
                        },
                        [&](const KeyReady&) {},
                        [&](const KeyWant& f) {
                          to.range(f.range);
                          to.number(static_cast<std::uint32_t>(f.without.size()));
                          for (const auto print : f.without) to.number(print);
                        },
                        [&](const KeyHave& f) {
                          to.range(f.range);
                          to.records(f.records);
                        },
                        [&](const KeyPut& f) {
                          to.number(f.number);
                          to.records(f.records);
                        },
                        [&](const KeyAck& f) { to.number(f.number); },
                        [&](const KeyAsk& f) { to.persons(f.persons); },
                        [&](const KeyTold& f) {
                          to.persons(f.absent);
                          to.records(f.records);
                        }},
             frame);
  SOUK_ASSERT(to.bytes.size() <= key_frame_bytes_max);
  return std::move(to.bytes);
}

Result<KeyFrame, Fault> decode_key_frame(std::string_view bytes) {
  Reader from{bytes};
  const auto kind = from.number<std::uint8_t>();
  if (kind == 0 || from.bad) return Fault{Fault::Kind::corrupt, "keys: an empty frame"};
  if (kind > std::variant_size_v<KeyFrame>)
    return Fault{Fault::Kind::unsupported, "keys: a frame of a kind that is not known here"};
  auto frame = read(kind, from);
  if (from.bad || !from.rest.empty())
    return Fault{Fault::Kind::corrupt, "keys: a frame that is none"};
  return frame;
}

}  // namespace souk::cluster
