#include "actors/adapters/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "actors/adapters/vault_form.h"

namespace souk {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::string, Fault> read_secret_file(const std::filesystem::path& path) {
  constexpr std::size_t bytes_read_max = 4'096;
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes_read_max, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file && !file.eof()) {
    return Fault{Fault::Kind::unavailable,
                 fmt::format("{}: the secret cannot be read: {}", path.string(),
                             std::strerror(errno != 0 ? errno : EIO))};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (!text.empty() && std::strchr(" \t\r\n", text.back()) != nullptr) text.pop_back();
  std::string secret;
  bool good = text.size() == 2 * secret_bytes;
  for (std::size_t i = 0; good && i < text.size(); i += 2) {
    const int high = digit_of(text[i]), low = digit_of(text[i + 1]);
    good = high >= 0 && low >= 0;
    secret.push_back(static_cast<char>(high << 4 | low));
  }
  if (good) return secret;
  return Fault{Fault::Kind::corrupt,
               fmt::format("{}: a secret is {} hexadecimal digits and nothing else; make one with: "
                           "openssl rand -hex {}",
                           path.string(), 2 * secret_bytes, secret_bytes)};
}

std::uint64_t secret_check(std::string_view secret) {
  using vault_form::unsigned_bytes;
  constexpr std::string_view of = "souk: the secret of a cluster";
  unsigned char hash[crypto_generichash_BYTES];
  crypto_generichash(hash, sizeof hash, unsigned_bytes(of), of.size(), unsigned_bytes(secret),
                     secret.size());
  std::uint64_t check = 0;
  std::memcpy(&check, hash, sizeof check);
  return check == 0 ? 1 : check;
}

Status make_secret_file(const std::filesystem::path& path) {
  const auto failed = [&](const char* doing) {
    return Fault{Fault::Kind::unavailable,
                 fmt::format("{}: cannot {}: {}", path.string(), doing, std::strerror(errno))};
  };
  unsigned char bytes[secret_bytes];
  if (::getentropy(bytes, sizeof bytes) != 0) return failed("get random bytes for it");
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  text += '\n';
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return failed("make it");
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  const auto fault = failed("write it");
  ::close(file);
  if (!written) return fault;
  return Done{};
}

}  // namespace souk
