#include "cluster/links/certificates.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "cluster/links/links.h"
#include "events/fault_log.h"
#include "events/shared_log/kafka_options.h"

namespace souk::cluster {

namespace {

namespace fs = std::filesystem;

struct Frees {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, Frees>;

struct Pair {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;
};

Fault openssl_fault(const char* doing) {
  char words[200] = "";
  ERR_error_string_n(ERR_get_error(), words, sizeof words);
  return {Fault::Kind::unavailable, fmt::format("{}: {}", doing, one_line(words))};
}

bool extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool number(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7f;  // positive
  const Owned<BIGNUM> serial(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return serial && BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate));
}

/// `name`: empty: an authority. `authority`: none: signs itself.
std::optional<Pair> make(const std::string& common_name, const std::string& name,
                         const Pair* authority) {
  Pair made{Owned<X509>(X509_new()), Owned<EVP_PKEY>(EVP_EC_gen("P-256"))};
  X509* certificate = made.certificate.get();
  if (!certificate || !made.key) return std::nullopt;
  X509* issuer = authority ? authority->certificate.get() : certificate;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  bool good =
      X509_set_version(certificate, X509_VERSION_3) == 1 && number(certificate) &&
      X509_gmtime_adj(X509_getm_notBefore(certificate), -3'600) &&
      X509_time_adj_ex(X509_getm_notAfter(certificate), trial_certificate_days, 0, nullptr) &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text,
                                 static_cast<int>(common_name.size()), -1, 0) == 1 &&
      X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
      X509_set_pubkey(certificate, made.key.get()) == 1 &&
      extend(certificate, issuer, NID_subject_key_identifier, "hash");
  if (name.empty())
    good = good &&
           extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  else  // each node dials some and accepts others
    good = good && extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           extend(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
           extend(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
           extend(certificate, issuer, NID_authority_key_identifier, "keyid") &&
           extend(certificate, issuer, NID_subject_alt_name, "DNS:" + name);
  EVP_PKEY* signer = authority ? authority->key.get() : made.key.get();
  if (!good || X509_sign(certificate, signer, EVP_sha256()) == 0) return std::nullopt;
  return made;
}

Fault file_fault(const fs::path& path) {
  return {Fault::Kind::unavailable, fmt::format("{}: {}", path.string(), std::strerror(errno))};
}

/// `write(FILE*)` into a file that is not there yet.
template <class Write>
Status write_new(const fs::path& path, mode_t mode, Write write) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return file_fault(path);
  Owned<std::FILE> file(::fdopen(descriptor, "w"));
  if (!file || write(file.get()) != 1 || std::fflush(file.get()) != 0) return file_fault(path);
  return Done{};
}

Status write_pair(const fs::path& certificate, const fs::path& key, const Pair& pair) {
  Status written = write_new(key, 0600, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, pair.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  if (!written) return written;
  return write_new(certificate, 0644,
                   [&](std::FILE* file) { return PEM_write_X509(file, pair.certificate.get()); });
}

Result<Pair, Fault> read_pair(const fs::path& certificate, const fs::path& key) {
  const Owned<std::FILE> certificate_file(std::fopen(certificate.c_str(), "re"));
  if (!certificate_file) return file_fault(certificate);
  const Owned<std::FILE> key_file(std::fopen(key.c_str(), "re"));
  if (!key_file) return file_fault(key);
  char no_passphrase[] = "";  // else OpenSSL asks on the terminal
  Pair pair{Owned<X509>(PEM_read_X509(certificate_file.get(), nullptr, nullptr, nullptr)),
            Owned<EVP_PKEY>(PEM_read_PrivateKey(key_file.get(), nullptr, nullptr, no_passphrase))};
  if (!pair.certificate || !pair.key ||
      X509_check_private_key(pair.certificate.get(), pair.key.get()) != 1)
    return openssl_fault(certificate.c_str());
  return pair;
}

enum class There : std::uint8_t { none, half, both };
There there(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return static_cast<There>(int{fs::exists(a, ignored)} + int{fs::exists(b, ignored)});
}

Fault half_fault(const fs::path& certificate, const fs::path& key) {
  return {Fault::Kind::mismatch, fmt::format("one of {} and {} is there without the other",
                                             certificate.string(), key.filename().string())};
}

Result<Pair, Fault> authority_of(const fs::path& directory, const std::string& cluster) {
  const fs::path certificate = directory / "authority.pem", key = directory / "authority.key";
  switch (there(certificate, key)) {
    case There::both:
      return read_pair(certificate, key);
    case There::half:
      return half_fault(certificate, key);
    case There::none:
      break;
  }
  auto made = make(cluster.substr(0, 40) + " trial authority", "", nullptr);
  if (!made) return openssl_fault("a certificate");
  if (Status written = write_pair(certificate, key, *made); !written) return written.error();
  return std::move(*made);
}

}  // namespace

Status make_trial_certificates(const std::string& directory, const std::string& cluster,
                               const std::vector<std::string>& nodes) {
  if (Status named = check_cluster_name(cluster); !named) return named;
  for (const std::string& node : nodes) {
    if (Status named = check_node_name(node); !named) return named;
    if (node == "authority")
      return Fault{Fault::Kind::mismatch, "authority: its files are those of the authority"};
  }
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Fault{Fault::Kind::unavailable, directory + ": " + error.message()};
  const auto authority = authority_of(directory, cluster);
  if (!authority) return authority.error();
  for (const std::string& node : nodes) {
    const fs::path certificate = fs::path(directory) / (node + ".pem");
    const fs::path key = fs::path(directory) / (node + ".key");
    const There what = there(certificate, key);
    if (what == There::half) return half_fault(certificate, key);
    if (what == There::both) continue;
    const auto made = make(node, certificate_name(node, cluster), &*authority);
    if (!made) return openssl_fault("a certificate");
    if (Status written = write_pair(certificate, key, *made); !written) return written;
  }
  return Done{};
}

}  // namespace souk::cluster
