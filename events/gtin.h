#pragma once
#include <string>
#include <string_view>

namespace souk {

/// The last digit of a Global Trade Item Number whose other digits these are.
/// REQUIRES: digits only.
char gtin_check_digit(std::string_view digits);
/// Why `text` is no GTIN-8, GTIN-12 (UPC-A), GTIN-13 (EAN) or GTIN-14, as the end of a sentence that
/// began with the member; of a wrong check digit it says the right one. Empty: it is one.
/// Source: GS1 General Specifications, 7.9.
std::string why_no_gtin(std::string_view text);

}  // namespace souk
