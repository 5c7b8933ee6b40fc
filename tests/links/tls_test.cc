// Certificates: who is let in, and those for a trial.
#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cluster/links/certificates.h"
#include "tests/links/world.h"
#include "tests/support/temporary_directory.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;
namespace fs = std::filesystem;

namespace {

LinkTls files_of(const fs::path& directory, const std::string& node) {
  return {(directory / "authority.pem").string(), (directory / (node + ".pem")).string(),
          (directory / (node + ".key")).string()};
}

LinkOptions secured(const fs::path& directory, const std::string& node) {
  LinkOptions options = options_of(node);
  options.tls = files_of(directory, node);
  return options;
}

/// Nodes a to d of the cluster "bazaar", an authority of strangers with the same names, and one
/// cluster more.
struct Certificates {
  souk::test::TemporaryDirectory directory;
  fs::path ours = directory.path() / "ours", strangers = directory.path() / "strangers",
           fair = directory.path() / "fair";

  Certificates() {
    REQUIRE(make_trial_certificates(ours.string(), "bazaar", {"a", "b", "c", "d"}).ok());
    REQUIRE(make_trial_certificates(strangers.string(), "bazaar", {"a", "b"}).ok());
    REQUIRE(make_trial_certificates(fair.string(), "fair", {"a"}).ok());
  }
};

/// A client by hand, with TLS; what happens to its `hello`.
struct TlsHand {
  Hand hand;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* session = nullptr;

  TlsHand(std::uint16_t port, const LinkTls* files) : hand(port) {
    if (files) {
      REQUIRE(SSL_CTX_use_certificate_chain_file(context, files->certificate.c_str()) == 1);
      REQUIRE(SSL_CTX_use_PrivateKey_file(context, files->key.c_str(), SSL_FILETYPE_PEM) == 1);
    }
    session = SSL_new(context);
    SSL_set_fd(session, hand.socket());
  }
  ~TlsHand() {
    SSL_free(session);
    SSL_CTX_free(context);
  }
  /// The content of the answer; empty where the connection ends instead.
  std::string answer(const Hello& hello) {
    if (SSL_connect(session) != 1) return "";
    std::string bytes;
    append_frame(bytes, FrameKind::hello, encode_hello(hello));
    SSL_write(session, bytes.data(), static_cast<int>(bytes.size()));
    char space[8'192];
    const int got = SSL_read(session, space, sizeof space);
    if (got <= static_cast<int>(frame_header_bytes)) return "";
    return {space + frame_header_bytes, static_cast<std::size_t>(got) - frame_header_bytes};
  }
};

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("tls: nodes with certificates of one authority are linked") {
  Certificates certificates;
  TestNode a(secured(certificates.ours, "a")), b(secured(certificates.ours, "b"));
  link(a, b);
  const std::string large(300'000, 'x');
  CHECK(a.links->send("b", "to b") == Sent::yes);
  CHECK(a.links->send("b", large) == Sent::yes);
  CHECK(b.links->send("a", "to a") == Sent::yes);
  CHECK(b.heard.hears("a: to b"));
  CHECK(b.heard.hears("a: " + large));
  CHECK(a.heard.hears("b: to a"));
}

TEST_CASE("tls: who has no certificate, or one of another authority, is not heard") {
  Certificates certificates;
  TestNode b(secured(certificates.ours, "b"));
  REQUIRE(b.links->set_peers({{"a", "127.0.0.1", 9}}).ok());
  {
    Hand plain(b.links->port());
    plain.say(FrameKind::hello, encode_hello(hello_of("a")));
    const auto said = plain.hear_bytes();
    CHECK(said.find(hello_magic) == std::string::npos);
  }
  const LinkTls wrong = files_of(certificates.strangers, "a");
  const LinkTls right = files_of(certificates.ours, "a");
  CHECK(TlsHand(b.links->port(), nullptr).answer(hello_of("a")) == "");
  CHECK(TlsHand(b.links->port(), &wrong).answer(hello_of("a")) == "");
  CHECK(decode_hello(TlsHand(b.links->port(), &right).answer(hello_of("a")))->node == "b");
  CHECK(b.heard.words().empty());
}

TEST_CASE("tls: a certificate is good for its own node only") {
  Certificates certificates;
  TestNode b(secured(certificates.ours, "d"));
  REQUIRE(b.links->set_peers({{"a", "127.0.0.1", 9}, {"c", "127.0.0.1", 9}}).ok());
  const LinkTls of_c = files_of(certificates.ours, "c");
  CHECK(TlsHand(b.links->port(), &of_c).answer(hello_of("a")) ==
        "the certificate is not of a.bazaar.souk: its DNS names are [c.bazaar.souk]");
  CHECK(decode_hello(TlsHand(b.links->port(), &of_c).answer(hello_of("c"))).ok());
  CHECK(b.heard.words().empty());
}

TEST_CASE("tls: no word is said to a node that was not meant, or that another authority knows") {
  Certificates certificates;
  TestNode a(secured(certificates.ours, "a")), c(secured(certificates.ours, "c")),
      stranger(secured(certificates.strangers, "b"));
  REQUIRE(c.links->set_peers({a.at("a")}).ok());
  REQUIRE(stranger.links->set_peers({a.at("a")}).ok());
  REQUIRE(a.links->set_peers({stranger.at("b"), c.at("d")}).ok());
  std::this_thread::sleep_for(milliseconds(400));
  CHECK(a.heard.words().empty());
  CHECK(c.heard.words().empty());
  CHECK(stranger.heard.words().empty());
  // The same, with the right addresses.
  TestNode b(secured(certificates.ours, "b"));
  REQUIRE(b.links->set_peers({a.at("a")}).ok());
  REQUIRE(a.links->set_peers({b.at("b"), c.at("c")}).ok());
  CHECK(a.heard.hears("up b 1"));
  CHECK(a.heard.hears("up c 1"));
}

TEST_CASE("tls: with certificates a node listens anywhere") {
  Certificates certificates;
  LinkOptions options = secured(certificates.ours, "a");
  options.listen_host = "0.0.0.0";
  CHECK(Links::open(options).ok());
  TestNode b(secured(certificates.ours, "b"));
  CHECK(b.links->set_peers({{"c", "192.0.2.1", 7}}).ok());
}

TEST_CASE("tls: files that do not fit are told of before anything is opened") {
  Certificates certificates;
  const auto what = [&](auto change) {
    LinkOptions options = secured(certificates.ours, "a");
    change(options);
    const auto opened = Links::open(options);
    REQUIRE(!opened.ok());
    CHECK(opened.error().kind == Fault::Kind::mismatch);
    return opened.error().what;
  };
  CHECK(what([](LinkOptions& o) { o.node = "b"; })
            .ends_with("a.pem: the certificate is not of b.bazaar.souk: its DNS names are "
                       "[a.bazaar.souk]"));
  CHECK(what([](LinkOptions& o) { o.cluster = "fair"; }).find("a.fair.souk") != std::string::npos);
  CHECK(what([&](LinkOptions& o) {
          o.tls->authority = files_of(certificates.fair, "a").authority;
        }).find("a.pem: ") != std::string::npos);
  CHECK(what([&](LinkOptions& o) {
          o.tls->key = files_of(certificates.ours, "b").key;
        }).find("b.key: ") != std::string::npos);
  CHECK(what([](LinkOptions& o) {
          o.tls->certificate = "/nowhere.pem";
        }).starts_with("/nowhere.pem: "));
  CHECK(what([](LinkOptions& o) {
          o.tls->authority = "/nowhere.pem";
        }).starts_with("/nowhere.pem: "));
}

TEST_CASE("certificates: keys are their owner's, and a certificate lasts 825 days") {
  Certificates certificates;
  CHECK(mode_of(certificates.ours / "a.key") == 0600);
  CHECK(mode_of(certificates.ours / "authority.key") == 0600);
  std::FILE* file = std::fopen((certificates.ours / "a.pem").c_str(), "re");
  REQUIRE(file);
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  REQUIRE(certificate);
  int days = 0, seconds = 0;
  CHECK(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate),
                       X509_get0_notAfter(certificate)) == 1);
  CHECK(days == 825);
  CHECK(X509_check_ca(certificate) == 0);
  CHECK(EVP_PKEY_get_bits(X509_get0_pubkey(certificate)) == 256);
  X509_free(certificate);
}

TEST_CASE("certificates: nodes are added to what is there, which stays") {
  souk::test::TemporaryDirectory directory;
  const fs::path place = directory.path() / "new" / "place";
  REQUIRE(make_trial_certificates(place.string(), "bazaar", {"a"}).ok());
  const std::string before = read_file(place / "authority.pem") + read_file(place / "a.pem");
  CHECK(before.size() > 1'000);
  REQUIRE(make_trial_certificates(place.string(), "bazaar", {"a", "b"}).ok());
  CHECK(read_file(place / "authority.pem") + read_file(place / "a.pem") == before);
  TestNode a(secured(place, "a")), b(secured(place, "b"));
  link(a, b);

  fs::remove(place / "a.key");
  CHECK(make_trial_certificates(place.string(), "bazaar", {"a"}).error().kind ==
        Fault::Kind::mismatch);
  CHECK(!make_trial_certificates(place.string(), "bazaar", {"../a"}));
  CHECK(!make_trial_certificates(place.string(), "bazaar", {"authority"}));
  CHECK(!make_trial_certificates(place.string(), "", {"c"}));
  CHECK(make_trial_certificates("/proc/no", "bazaar", {"c"}).error().kind ==
        Fault::Kind::unavailable);
}
