// A Merchant feed in XML. pugixml stays in this file.
#include <algorithm>
#include <pugixml.hpp>
#include <unordered_map>

#include "tools/souk/import/product_formats.h"

namespace souk::cli {
namespace {

/// Without its namespace: `g:price` and `price` are the same.
std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string all_text(const pugi::xml_node& node) {
  std::string out;
  for (const pugi::xml_node& child : node.children())
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) out += child.value();
  return out;
}

std::string child_text(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& child : node.children())
    if (local_name(child.name()) == name) return all_text(child);
  return {};
}

class FeedReader {
 public:
  explicit FeedReader(std::string_view text) : text_(text) {}

  Outcome<Sheet> read() {
    pugi::xml_document document;
    const auto parsed = document.load_buffer(text_.data(), text_.size(),
                                             pugi::parse_default | pugi::parse_ws_pcdata_single,
                                             pugi::encoding_utf8);
    if (!parsed)
      return Failure{ExitCode::refused, "line " + std::to_string(line_of(parsed.offset)) +
                                            ": no XML: " + parsed.description()};
    // RSS: rss/channel/item; Atom: feed/entry; RSS 1.0: RDF/item.
    const pugi::xml_node root = document.document_element();
    const pugi::xml_node channel = root.child("channel");
    for (const pugi::xml_node& holder : {channel, root})
      for (const pugi::xml_node& item : holder.children())
        if (const auto name = local_name(item.name()); name == "item" || name == "entry")
          take(item);
    if (sheet_.rows.empty())
      return Failure{ExitCode::refused,
                     "this XML is no product feed: there is no item (RSS) and no entry (Atom)"};
    for (SheetRow& row : sheet_.rows) row.cells.resize(sheet_.columns.size());
    sheet_.delimiter = 0;
    return std::move(sheet_);
  }

 private:
  void take(const pugi::xml_node& item) {
    SheetRow row{.line = line_of(item.offset_debug()), .cells = {}};
    for (const pugi::xml_node& member : item.children()) {
      if (member.type() != pugi::node_element) continue;
      const std::string_view name = local_name(member.name());
      std::string value = all_text(member);
      if (name == "product_detail")
        value = product_details_text(
            {{child_text(member, "section_name"), child_text(member, "attribute_name"),
              child_text(member, "attribute_value")}});
      std::string& cell = cell_of(row, name);
      // Atom and RSS have a title and a link of their own; Google's come with g:.
      const bool repeats =
          name == "additional_image_link" || name == "product_detail" || name == "product_type";
      if (cell.empty() || !repeats) {
        if (cell.empty() || std::string_view(member.name()).starts_with("g:"))
          cell = std::move(value);
      } else {
        cell += "\n" + value;
      }
    }
    sheet_.rows.push_back(std::move(row));
  }

  std::string& cell_of(SheetRow& row, std::string_view name) {
    const auto [at, added] = columns_.try_emplace(std::string(name), sheet_.columns.size());
    if (added) sheet_.columns.emplace_back(name);
    if (row.cells.size() <= at->second) row.cells.resize(sheet_.columns.size());
    return row.cells[at->second];
  }

  /// Items come in the order of the file: each line is counted once.
  std::uint32_t line_of(std::ptrdiff_t offset) {
    const auto end =
        std::min(static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)), text_.size());
    for (; counted_ < end; ++counted_)
      if (text_[counted_] == '\n') ++line_;
    return line_;
  }

  std::string_view text_;
  Sheet sheet_;
  std::unordered_map<std::string, std::size_t> columns_;
  std::size_t counted_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

Outcome<Sheet> read_merchant_xml(std::string_view text) { return FeedReader(text).read(); }

}  // namespace souk::cli
