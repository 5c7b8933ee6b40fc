#include "cluster/links/asio_tls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <vector>

#include "events/fault_log.h"

namespace souk::cluster {

namespace {

namespace ssl = boost::asio::ssl;

struct Frees {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <class T>
using Owned = std::unique_ptr<T, Frees>;

std::vector<std::string> dns_names(const X509* certificate) {
  std::vector<std::string> result;
  const Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    result.emplace_back(bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return result;
}

/// Byte by byte and without wildcards: node names are not a host's, and "a" is not "A".
Status check_name(const X509* certificate, const std::string& name) {
  const std::vector<std::string> names = dns_names(certificate);
  if (std::ranges::find(names, name) != names.end()) return Done{};
  return Fault{Fault::Kind::mismatch,
               fmt::format("the certificate is not of {}: its DNS names are [{}]", name,
                           one_line(fmt::format("{}", fmt::join(names, ", "))))};
}

/// The own certificate as the peers will judge it, now rather than at the first connection.
Status check_chain(SSL_CTX* context) {
  const Owned<X509_STORE_CTX> check(X509_STORE_CTX_new());
  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get0_chain_certs(context, &between);
  if (!check || X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context),
                                    SSL_CTX_get0_certificate(context), between) != 1)
    return Fault{Fault::Kind::unavailable, "OpenSSL: no memory"};
  if (X509_verify_cert(check.get()) == 1) return Done{};
  return Fault{Fault::Kind::mismatch,
               X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()))};
}

}  // namespace

Result<std::unique_ptr<ssl::context>, Fault> make_tls(const LinkTls& files,
                                                      const std::string& name) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls);
  SSL_CTX* handle = context->native_handle();
  SSL_CTX_set_min_proto_version(handle, TLS1_3_VERSION);
  // A session is as long as its connection: nothing is resumed.
  SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(handle, 0);

  const auto fault = [](const std::string& file, const std::string& what) {
    return Fault{Fault::Kind::mismatch, fmt::format("{}: {}", file, one_line(what))};
  };
  boost::system::error_code error;
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  if (error) return fault("TLS", error.message());
  context->load_verify_file(files.authority, error);
  if (error) return fault(files.authority, error.message());
  context->use_certificate_chain_file(files.certificate, error);
  if (error) return fault(files.certificate, error.message());
  // OpenSSL would ask on the terminal for the passphrase of a key that has one.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                 error);
  if (!error) context->use_private_key_file(files.key, ssl::context::pem, error);
  if (error) return fault(files.key, error.message());
  if (const Status named = check_name(SSL_CTX_get0_certificate(handle), name); !named)
    return fault(files.certificate, named.error().what);
  if (const Status chain = check_chain(handle); !chain)
    return fault(files.certificate, chain.error().what);
  return context;
}

Status check_peer_name(SSL* session, const std::string& name) {
  const Owned<X509> certificate(SSL_get1_peer_certificate(session));
  if (!certificate) return Fault{Fault::Kind::mismatch, "no certificate"};
  return check_name(certificate.get(), name);
}

}  // namespace souk::cluster
