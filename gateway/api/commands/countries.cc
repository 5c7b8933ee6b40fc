#include "gateway/api/commands/countries.h"

#include <algorithm>
#include <cstddef>

#include "gateway/api/edge/text.h"

namespace souk {
namespace {

/// Alpha-2 and alpha-3 of each country, by the alphabet of alpha-2.
constexpr std::string_view table =
    "AD AND AE ARE AF AFG AG ATG AI AIA AL ALB AM ARM AO AGO AQ ATA AR ARG AS ASM AT AUT AU AUS "
    "AW ABW AX ALA AZ AZE BA BIH BB BRB BD BGD BE BEL BF BFA BG BGR BH BHR BI BDI BJ BEN BL BLM "
    "BM BMU BN BRN BO BOL BQ BES BR BRA BS BHS BT BTN BV BVT BW BWA BY BLR BZ BLZ CA CAN CC CCK "
    "CD COD CF CAF CG COG CH CHE CI CIV CK COK CL CHL CM CMR CN CHN CO COL CR CRI CU CUB CV CPV "
    "CW CUW CX CXR CY CYP CZ CZE DE DEU DJ DJI DK DNK DM DMA DO DOM DZ DZA EC ECU EE EST EG EGY "
    "EH ESH ER ERI ES ESP ET ETH FI FIN FJ FJI FK FLK FM FSM FO FRO FR FRA GA GAB GB GBR GD GRD "
    "GE GEO GF GUF GG GGY GH GHA GI GIB GL GRL GM GMB GN GIN GP GLP GQ GNQ GR GRC GS SGS GT GTM "
    "GU GUM GW GNB GY GUY HK HKG HM HMD HN HND HR HRV HT HTI HU HUN ID IDN IE IRL IL ISR IM IMN "
    "IN IND IO IOT IQ IRQ IR IRN IS ISL IT ITA JE JEY JM JAM JO JOR JP JPN KE KEN KG KGZ KH KHM "
    "KI KIR KM COM KN KNA KP PRK KR KOR KW KWT KY CYM KZ KAZ LA LAO LB LBN LC LCA LI LIE LK LKA "
    "LR LBR LS LSO LT LTU LU LUX LV LVA LY LBY MA MAR MC MCO MD MDA ME MNE MF MAF MG MDG MH MHL "
    "MK MKD ML MLI MM MMR MN MNG MO MAC MP MNP MQ MTQ MR MRT MS MSR MT MLT MU MUS MV MDV MW MWI "
    "MX MEX MY MYS MZ MOZ NA NAM NC NCL NE NER NF NFK NG NGA NI NIC NL NLD NO NOR NP NPL NR NRU "
    "NU NIU NZ NZL OM OMN PA PAN PE PER PF PYF PG PNG PH PHL PK PAK PL POL PM SPM PN PCN PR PRI "
    "PS PSE PT PRT PW PLW PY PRY QA QAT RE REU RO ROU RS SRB RU RUS RW RWA SA SAU SB SLB SC SYC "
    "SD SDN SE SWE SG SGP SH SHN SI SVN SJ SJM SK SVK SL SLE SM SMR SN SEN SO SOM SR SUR SS SSD "
    "ST STP SV SLV SX SXM SY SYR SZ SWZ TC TCA TD TCD TF ATF TG TGO TH THA TJ TJK TK TKL TL TLS "
    "TM TKM TN TUN TO TON TR TUR TT TTO TV TUV TW TWN TZ TZA UA UKR UG UGA UM UMI US USA UY URY "
    "UZ UZB VA VAT VC VCT VE VEN VG VGB VI VIR VN VNM VU VUT WF WLF WS WSM YE YEM YT MYT ZA ZAF "
    "ZM ZMB ZW ZWE ";
constexpr std::size_t entry_bytes = 7;
constexpr std::size_t countries = 249;
static_assert(table.size() == countries * entry_bytes);

constexpr std::string_view alpha2_at(std::size_t i) { return table.substr(i * entry_bytes, 2); }
constexpr std::string_view alpha3_at(std::size_t i) { return table.substr(i * entry_bytes + 3, 3); }

/// What people write for a country whose code is another one.
struct Instead {
  std::string_view written, official;
};
constexpr Instead instead[] = {{"AN", "CW"}, {"DD", "DE"}, {"EL", "GR"}, {"EN", "GB"},
                               {"FX", "FR"}, {"SU", "RU"}, {"TP", "TL"}, {"UK", "GB"},
                               {"XK", "RS"}, {"YU", "RS"}, {"ZR", "CD"}};

bool is_letters(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

std::string upper_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

bool is_alpha2(std::string_view code) {
  for (std::size_t i = 0; i < countries; ++i)
    if (alpha2_at(i) == code) return true;
  return false;
}

/// REQUIRES: two letters, upper case. What is meant instead, letters that changed places, then one
/// letter that is another: the first by the alphabet.
std::string_view nearest(std::string_view code) {
  for (const auto& [written, official] : instead)
    if (written == code) return official;
  std::string_view best = alpha2_at(0);
  int best_cost = 9;
  for (std::size_t i = 0; i < countries; ++i) {
    const auto candidate = alpha2_at(i);
    int cost = (candidate[0] == code[0] ? 0 : 2) + (candidate[1] == code[1] ? 0 : 1);
    if (candidate[0] == code[1] && candidate[1] == code[0]) cost = 0;
    if (cost >= best_cost) continue;
    best = candidate;
    best_cost = cost;
  }
  return best;
}

}  // namespace

std::string why_no_country(std::string_view text) {
  if (text.size() != 2 || !is_letters(text)) return {};
  const auto code = upper_ascii(text);
  if (is_alpha2(code)) return {};
  return "is not a country code of ISO 3166-1; the nearest is " + std::string(nearest(code));
}

std::string country_meant_by(std::string_view text) {
  const auto code = upper_ascii(text);
  if (code == "UK") return "GB";  // reserved for it in ISO 3166-1
  if (code == "EL") return "GR";  // of the European Union
  return std::string(text);
}

std::vector<std::string_view> country_codes() {
  std::vector<std::string_view> all;
  for (std::size_t i = 0; i < countries; ++i) all.push_back(alpha2_at(i));
  return all;
}

std::string address_country(std::string_view text) {
  return text.size() == 2 && is_letters(text) ? upper_ascii(text) : std::string(text);
}

std::string user_country(std::string_view text) {
  if (text.size() != 3 || !is_letters(text)) return address_country(text);
  const auto code = upper_ascii(text);
  for (std::size_t i = 0; i < countries; ++i)
    if (alpha3_at(i) == code) return std::string(alpha2_at(i));
  return std::string(text);
}

}  // namespace souk
