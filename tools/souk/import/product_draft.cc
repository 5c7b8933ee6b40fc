// What is checked and mended of a draft, whatever format it came from.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "events/currencies.h"
#include "events/gtin.h"
#include "events/ids.h"
#include "events/limits.h"
#include "events/utf8.h"
#include "events/web_address.h"
#include "tools/souk/client/json.h"
#include "tools/souk/import/product_file.h"

namespace souk::cli {
namespace {

/// On one line: line breaks and tabs become blanks, other control characters go.
std::string on_one_line(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t') {
      if (!out.ends_with(' ')) out += ' ';
    } else if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    }
  }
  return out;
}

/// Line breaks as \n; other control characters but tabs go.
std::string on_lines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') out += '\n';
    } else if (text[i] == '\n' || text[i] == '\t' || (byte >= 0x20 && byte != 0x7F)) {
      out += text[i];
    }
  }
  return std::string(trimmed(out));
}

void add_member(std::string& out, std::string_view name, std::string_view json) {
  out.append(",\"").append(name).append("\":").append(json);
}

std::string list_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "[" : ",") + json_string(text);
  return out + "]";
}

std::string object_json(const NamedValues& values) {
  std::string out;
  for (const auto& [name, value] : values)
    out += (out.empty() ? "{" : ",") + json_string(name) + ":" + json_string(value);
  return out + "}";
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text.substr(0, 80)) + "\"";
}

bool is_utf8(const ProductDraft& draft) {
  bool good = true;
  const auto look = [&](std::string_view text) { good = good && utf8_valid(text); };
  for (const auto* text : {&draft.sku, &draft.name, &draft.description, &draft.brand, &draft.price,
                           &draft.currency, &draft.barcode, &draft.group})
    look(*text);
  for (const auto* texts : {&draft.category, &draft.images})
    for (const std::string& text : *texts) look(text);
  for (const auto* values : {&draft.attributes, &draft.options})
    for (const auto& [name, value] : *values) look(name), look(value);
  return good;
}

/// The address as the shop takes it; empty where it is none.
std::string mended_address(std::string_view text) {
  std::string address(trimmed(text));
  if (address.starts_with("//")) address = "https:" + address;
  for (std::size_t at = 0; (at = address.find(' ', at)) != std::string::npos;)
    address.replace(at, 1, "%20");
  if (address.size() > limits::image_bytes_max || !is_web_address(address)) return {};
  return address;
}

}  // namespace

std::optional<bool> parse_truth(std::string_view text) {
  static constexpr std::array<std::string_view, 9> yes = {
      "true", "yes", "1", "y", "on", "published", "active", "visible", "enabled"};
  static constexpr std::array<std::string_view, 12> no = {
      "false",    "no",    "0",        "n",      "off",      "unpublished",
      "inactive", "draft", "archived", "hidden", "disabled", "-1"};
  const std::string word = lower(trimmed(text));
  if (std::ranges::find(yes, word) != yes.end()) return true;
  if (std::ranges::find(no, word) != no.end()) return false;
  return std::nullopt;
}

std::string as_sku(std::string_view text) {
  std::string out = on_one_line(text);
  std::ranges::replace(out, '/', '-');
  if (out.size() <= limits::sku_bytes_max) return out;
  std::uint32_t sum = 2166136261;  // FNV-1a: the same on every machine, for ever
  for (const char c : out) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619;
  const std::string tail = fmt::format("-{:08x}", sum);
  return std::string(utf8_prefix(out, limits::sku_bytes_max - tail.size())) + tail;
}

std::vector<std::string> addresses_of(std::string_view text) {
  std::vector<std::string> found;
  const auto begins = [&](std::size_t at) {
    const std::string head = lower(text.substr(at, 8));
    return head.starts_with("http://") || head.starts_with("https://") || head.starts_with("//");
  };
  constexpr std::string_view between = ",| \t\r\n;";
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    for (; end < text.size(); ++end) {
      const std::size_t next = text.find_first_not_of(between, end);
      if (next != end && next < text.size() && begins(next)) break;
    }
    std::string_view one = trimmed(text.substr(at, end - at));
    while (!one.empty() && between.find(one.back()) != std::string_view::npos) one.remove_suffix(1);
    if (!one.empty()) found.emplace_back(one);
    at = end == text.size() ? end : text.find_first_not_of(between, end);
  }
  return found;
}

std::vector<std::string> deepest_path(const std::vector<std::string>& paths) {
  std::vector<std::string> deepest;
  for (const std::string& path : paths)
    if (auto steps = parts_of(path, ">"); steps.size() > deepest.size()) deepest = std::move(steps);
  return deepest;
}

void ProductFileBuilder::draft(ProductDraft draft) {
  amounts_.look_at(draft.price);
  drafts_.push_back(std::move(draft));
}

/// Makes presentable what can be, and says what had to go.
void ProductFileBuilder::mend(ProductDraft& draft) {
  draft.name = on_one_line(draft.name);
  draft.brand = on_one_line(draft.brand);
  draft.description = on_lines(draft.description);
  for (std::string& step : draft.category) step = on_one_line(step);
  const auto fit = [&](std::string& text, std::size_t most, std::string_view what) {
    if (text.size() <= most) return;
    note(draft.line, fmt::format("{}: {} of its {} bytes are taken", what, most, text.size()));
    text = utf8_prefix(text, most);
  };
  fit(draft.description, limits::description_bytes_max, "description");
  for (auto* values : {&draft.attributes, &draft.options})
    for (auto& [name, value] : *values) {
      name = on_one_line(name);
      value = on_one_line(value);
      fit(value, limits::attribute_value_bytes_max, name);
    }
  std::erase_if(draft.barcode, [](char c) { return c == ' ' || c == '-' || c == '\''; });
  if (const std::string why = draft.barcode.empty() ? "" : why_no_gtin(draft.barcode);
      !why.empty()) {
    note(draft.line, "barcode " + in_quotes(draft.barcode) + " is left out: it " + why);
    draft.barcode.clear();
  }
  std::vector<std::string> images;
  for (const std::string& image : draft.images) {
    std::string address = mended_address(image);
    if (address.empty()) {
      note(draft.line,
           "image " + in_quotes(image) + " is left out: it is no http or https address");
    } else if (std::ranges::find(images, address) == images.end()) {
      images.push_back(std::move(address));
    }
  }
  if (images.size() > limits::images_max) {
    note(draft.line,
         fmt::format("the first {} of {} images are taken", limits::images_max, images.size()));
    images.resize(limits::images_max);
  }
  draft.images = std::move(images);
}

std::string ProductFileBuilder::check_price(const ProductDraft& draft, std::string& json) {
  if (trimmed(draft.price).empty()) return "price: it is empty";
  const Amount amount = amounts_.read(draft.price);
  if (!amount.wrong.empty()) return "price: " + amount.wrong;
  if (amount.value.value < 0) return "price: less than nothing: " + in_quotes(draft.price);
  const PriceCurrency currency =
      currency_of_price(amount.mark, trimmed(draft.currency), options_.currency, "GBP");
  if (!currency.wrong.empty()) return "currency: " + currency.wrong;
  if (amount.mark.empty() && trimmed(draft.currency).empty() && options_.currency.empty())
    file_.currency_assumed = true;
  json = "{\"amount\":" + json_string(to_decimal(amount.value)) +
         ",\"currency\":" + json_string(currency.code) + "}";
  return {};
}

std::string ProductFileBuilder::check_stock(const ProductDraft& draft, std::int64_t& stock) {
  std::string_view text = trimmed(draft.stock);
  if (text.empty()) return {};
  const std::size_t point = text.find_first_of(".,");  // 12.0, 12,00
  if (point != std::string_view::npos && point + 1 < text.size() &&
      text.find_first_not_of('0', point + 1) == std::string_view::npos && text.size() - point != 4)
    text = text.substr(0, point);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), stock);
  if (error != std::errc{} || end != text.data() + text.size() || stock > limits::quantity_max)
    return "stock: wanted 0 to 1000000, got " + in_quotes(draft.stock);
  if (stock < 0) {
    note(draft.line, "stock " + std::to_string(stock) + " is taken as none");
    stock = 0;
  }
  return {};
}

std::string ProductFileBuilder::check(ProductDraft& draft) {
  if (!is_utf8(draft)) return "not UTF-8; say what it is with --encoding";
  mend(draft);
  if (!Sku::parse(draft.sku)) return "sku: no SKU: " + in_quotes(draft.sku);
  if (draft.name.empty()) return "name: it is empty";
  if (!draft.group.empty() && !Sku::parse(draft.group))
    return "group: cannot be one: " + in_quotes(draft.group);
  if (draft.group.empty() && !draft.options.empty()) return "options: there is no group";
  std::string price;
  if (std::string why = check_price(draft, price); !why.empty()) return why;
  ProductRow row{.line = draft.line, .sku = draft.sku};
  if (std::string why = check_stock(draft, row.stock); !why.empty()) return why;
  const auto [there, added] = lines_.try_emplace(draft.sku, draft.line);
  if (!added) return fmt::format("sku: {} stands in line {} already", draft.sku, there->second);

  const auto add = [&](std::string_view name, std::string_view json) {
    add_member(row.members, name, json);
  };
  add("name", json_string(draft.name));
  if (!draft.description.empty()) add("description", json_string(draft.description));
  if (!draft.brand.empty()) add("brand", json_string(draft.brand));
  if (!draft.category.empty()) add("category", list_json(draft.category));
  add("price", price);
  if (draft.active) add("active", *draft.active ? "true" : "false");
  if (!draft.attributes.empty()) add("attributes", object_json(draft.attributes));
  if (!draft.images.empty()) add("images", list_json(draft.images));
  if (!draft.barcode.empty()) add("barcode", json_string(draft.barcode));
  if (!draft.group.empty()) add("group", json_string(draft.group));
  if (!draft.options.empty()) add("options", object_json(draft.options));
  file_.rows.push_back(std::move(row));
  return {};
}

ProductFile ProductFileBuilder::finish() {
  std::ranges::stable_sort(drafts_, {}, &ProductDraft::line);
  for (ProductDraft& draft : drafts_)
    if (std::string why = check(draft); !why.empty()) reject(draft.line, std::move(why));
  for (auto* told : {&file_.rejected, &file_.skipped, &file_.notes})
    std::ranges::stable_sort(*told, {}, &Rejection::line);
  file_.decimal = amounts_.decimal();
  return std::move(file_);
}

}  // namespace souk::cli
