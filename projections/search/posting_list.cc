#include "projections/search/posting_list.h"

#include <rocksdb/merge_operator.h>

#include <algorithm>

namespace souk::search {
namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::uint32_t some_gone = 1U << 31;

void put_u32(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}
std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}
void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

struct Header {
  std::uint32_t count = 0, first = 0, last = 0;
  bool gone = false;
};
std::optional<Header> header_of(std::string_view bytes) {
  if (bytes.size() <= header_bytes) return std::nullopt;
  const std::uint32_t count = u32_at(bytes, 0);
  return Header{count & ~some_gone, u32_at(bytes, 4), u32_at(bytes, 8), (count & some_gone) != 0};
}
void put_header(std::string& out, const Header& header) {
  put_u32(out, header.count | (header.gone ? some_gone : 0));
  put_u32(out, header.first);
  put_u32(out, header.last);
}

/// Each list behind the one before: their bytes as they are. Nothing where they are not, or where
/// some that are gone have to be dropped.
std::optional<std::string> append_all(const std::vector<std::string_view>& lists, Gone gone) {
  Header all;
  std::size_t size = header_bytes;
  for (const auto list : lists) {
    if (list.empty()) continue;
    const auto header = header_of(list);
    if (!header || header->count == 0 || (header->gone && gone == Gone::dropped) ||
        (all.count > 0 && header->first <= all.last))
      return std::nullopt;
    if (all.count == 0) all.first = header->first;
    all.last = header->last;
    all.count += header->count;
    all.gone = all.gone || header->gone;
    size += list.size();
  }
  std::string out;
  if (all.count == 0) return out;
  out.reserve(size);
  put_header(out, all);
  bool first = true;
  std::uint32_t last = 0;
  for (const auto list : lists) {
    if (list.empty()) continue;
    const auto header = *header_of(list);
    if (first) {
      out.append(list.substr(header_bytes));
    } else {
      put_varint(out, header.first - last);
      out.append(list.substr(header_bytes + 1));  // without its step, a zero
    }
    first = false;
    last = header.last;
  }
  return out;
}

class PostingMerge final : public rocksdb::MergeOperator {
 public:
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    std::vector<std::string_view> lists;
    lists.reserve(in.operand_list.size() + 1);
    if (in.existing_value != nullptr)
      lists.emplace_back(in.existing_value->data(), in.existing_value->size());
    for (const auto& operand : in.operand_list) lists.emplace_back(operand.data(), operand.size());
    return merged(lists, Gone::dropped, out->new_value);
  }
  bool PartialMergeMulti(const rocksdb::Slice&, const std::deque<rocksdb::Slice>& operands,
                         std::string* out, rocksdb::Logger*) const override {
    std::vector<std::string_view> lists;
    lists.reserve(operands.size());
    for (const auto& operand : operands) lists.emplace_back(operand.data(), operand.size());
    return merged(lists, Gone::kept, *out);
  }
  bool PartialMerge(const rocksdb::Slice&, const rocksdb::Slice& left, const rocksdb::Slice& right,
                    std::string* out, rocksdb::Logger*) const override {
    return merged({{left.data(), left.size()}, {right.data(), right.size()}}, Gone::kept, *out);
  }
  const char* Name() const override { return "souk.postings"; }

 private:
  static bool merged(const std::vector<std::string_view>& lists, Gone gone, std::string& out) {
    auto list = merge_postings(lists, gone);
    if (!list) return false;  // RocksDB then says that the store is damaged
    out = std::move(*list);
    return true;
  }
};

}  // namespace

std::string encode_postings(const std::vector<Posting>& postings) {
  std::string out;
  if (postings.empty()) return out;
  Header header{static_cast<std::uint32_t>(postings.size()), postings.front().doc,
                postings.back().doc, false};
  for (const auto& posting : postings) header.gone = header.gone || posting.gone;
  out.reserve(header_bytes + postings.size() * 3);
  put_header(out, header);
  DocId before = header.first;
  for (const auto& posting : postings) {
    put_varint(out, posting.doc - before);
    put_varint(out, posting.gone ? 0 : std::uint64_t{posting.count} + 1);
    before = posting.doc;
  }
  return out;
}

std::optional<std::vector<Posting>> decode_postings(std::string_view bytes) {
  std::vector<Posting> postings;
  if (bytes.empty()) return postings;
  const auto header = header_of(bytes);
  if (!header || header->count == 0 || header->count > bytes.size()) return std::nullopt;
  bytes.remove_prefix(header_bytes);
  postings.reserve(header->count);
  std::uint64_t doc = header->first;
  for (std::uint32_t i = 0; i < header->count; ++i) {
    const auto step = take_varint(bytes);
    const auto count = step ? take_varint(bytes) : std::nullopt;
    if (!count || (i == 0) != (*step == 0) || *step > header->last || *count > UINT32_MAX)
      return std::nullopt;
    doc += *step;
    postings.push_back({static_cast<DocId>(doc),
                        static_cast<std::uint32_t>(*count == 0 ? 0 : *count - 1), *count == 0});
  }
  if (!bytes.empty() || doc != header->last) return std::nullopt;
  return postings;
}

std::optional<std::string> merge_postings(const std::vector<std::string_view>& lists, Gone gone) {
  if (auto appended = append_all(lists, gone)) return appended;
  std::vector<Posting> older;
  std::vector<Posting> newer;  // of all lists but the first
  for (std::size_t i = 0; i < lists.size(); ++i) {
    auto list = decode_postings(lists[i]);
    if (!list) return std::nullopt;
    auto& into = i == 0 ? older : newer;
    into.insert(into.end(), list->begin(), list->end());
  }
  std::ranges::stable_sort(newer, {}, &Posting::doc);
  std::vector<Posting> all;
  all.reserve(older.size() + newer.size());
  auto at = older.begin();
  for (std::size_t i = 0; i < newer.size(); ++i) {
    if (i + 1 < newer.size() && newer[i + 1].doc == newer[i].doc) continue;  // a newer word follows
    for (; at != older.end() && at->doc < newer[i].doc; ++at) all.push_back(*at);
    if (at != older.end() && at->doc == newer[i].doc) ++at;
    all.push_back(newer[i]);
  }
  all.insert(all.end(), at, older.end());
  if (gone == Gone::dropped) std::erase_if(all, &Posting::gone);
  return encode_postings(all);
}

std::shared_ptr<rocksdb::MergeOperator> posting_merge() {
  static const auto merge = std::make_shared<PostingMerge>();
  return merge;
}

}  // namespace souk::search
