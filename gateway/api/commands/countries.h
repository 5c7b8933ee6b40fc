#pragma once
/// Countries as clients name them: a code of ISO 3166-1, or a name of the merchant's own.
///
/// Source: the 249 officially assigned codes, as in Debian's iso-codes 4.15.0 (2023-05-15); nothing
/// was assigned or withdrawn since, November 2026.
///
/// Thread: any.
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// Why `text` is no country, with the nearest code, as the end of a sentence that began with the
/// member. Empty: it is one. Only what has two letters is taken for a code and can be wrong.
std::string why_no_country(std::string_view text);

/// The code that is meant by two letters that are none, in any case: `UK` is GB and `EL` is GR, which
/// others than ISO 3166-1 have made official for the same countries. All else as it is.
///
/// For files of others: what a client of the API sends is refused, with the nearest.
std::string country_meant_by(std::string_view text);

/// The alpha-2 codes, by the alphabet.
std::vector<std::string_view> country_codes();

/// As it is kept of a user: two letters in upper case; an alpha-3 code, in any case, as its alpha-2;
/// all else as it is.
std::string user_country(std::string_view text);
/// As it is kept of an order: two letters in upper case, all else as it is. An alpha-3 code stays:
/// merchants' figures by country go by the names that they have always had (`USA`, `RSA`, `EIRE`).
std::string address_country(std::string_view text);

}  // namespace souk
