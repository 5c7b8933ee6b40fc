#include "projections/search/posting_list.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

using namespace souk::search;

namespace {

using List = std::vector<Posting>;
using Model = std::map<DocId, Posting>;

List list_of(const Model& model) {
  List list;
  for (const auto& [doc, posting] : model) list.push_back(posting);
  return list;
}

/// Lists as commits write them: mostly new products, sometimes older ones, some gone.
std::vector<Model> any_commits() {
  std::vector<Model> commits;
  DocId next = 1;
  const int count = *rc::gen::inRange(1, 8);
  for (int i = 0; i < count; ++i) {
    Model commit;
    const int changes = *rc::gen::inRange(1, 12);
    for (int k = 0; k < changes; ++k) {
      const bool fresh = *rc::gen::inRange(0, 4) != 0;
      const DocId doc = fresh ? next++ : *rc::gen::inRange<DocId>(1, next + 1);
      const bool gone = !fresh && *rc::gen::arbitrary<bool>();
      const auto amount = gone ? 0U : *rc::gen::inRange<std::uint32_t>(0, 70'000);
      commit[doc] = {.doc = doc, .count = amount, .gone = gone};
    }
    next += *rc::gen::inRange<DocId>(0, 300);
    commits.push_back(std::move(commit));
  }
  return commits;
}

}  // namespace

TEST_CASE("posting list: what was written is read") {
  const List list{{1, 0, false}, {2, 70'000, false}, {300, 0, true}, {4'000'000'000, 1, false}};
  CHECK(decode_postings(encode_postings(list)) == list);
  CHECK(encode_postings({}).empty());
  CHECK(decode_postings("") == List{});
}

TEST_CASE("posting list: merged in any parts it is what a map says") {
  CHECK(rc::check([] {
    const auto commits = any_commits();
    std::vector<std::string> lists;
    Model model;
    for (const auto& commit : commits) {
      lists.push_back(encode_postings(list_of(commit)));
      for (const auto& [doc, posting] : commit) model[doc] = posting;
    }
    // Some neighbours are merged before, as RocksDB does.
    while (lists.size() > 1 && *rc::gen::inRange(0, 3) != 0) {
      const auto at = *rc::gen::inRange<std::size_t>(0, lists.size() - 1);
      auto both = merge_postings({lists[at], lists[at + 1]}, Gone::kept);
      RC_ASSERT(both.has_value());
      lists[at] = std::move(*both);
      lists.erase(lists.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    const std::vector<std::string_view> views(lists.begin(), lists.end());
    const auto kept = merge_postings(views, Gone::kept);
    RC_ASSERT(kept.has_value());
    RC_ASSERT(decode_postings(*kept) == list_of(model));
    std::erase_if(model, [](const auto& entry) { return entry.second.gone; });
    const auto dropped = merge_postings(views, Gone::dropped);
    RC_ASSERT(dropped.has_value());
    RC_ASSERT(decode_postings(*dropped) == list_of(model));
  }));
}

TEST_CASE("posting list: bytes that are none are refused, cut anywhere or changed") {
  const auto bytes = encode_postings({{7, 2, false}, {9, 300, false}, {1'000, 1, true}});
  for (std::size_t size = 1; size < bytes.size(); ++size)
    CHECK_FALSE(decode_postings(std::string_view(bytes).substr(0, size)));
  CHECK_FALSE(decode_postings(bytes + "x"));
  CHECK(rc::check([&] {
    auto changed = bytes;
    changed[*rc::gen::inRange<std::size_t>(0, changed.size())] = *rc::gen::arbitrary<char>();
    const auto list = decode_postings(changed);  // no crash; what it takes is sorted
    for (std::size_t i = 1; list && i < list->size(); ++i)
      RC_ASSERT((*list)[i - 1].doc < (*list)[i].doc);
  }));
}
