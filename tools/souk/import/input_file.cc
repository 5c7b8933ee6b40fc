#include "tools/souk/import/input_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace souk::cli {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";

class Descriptor {
 public:
  explicit Descriptor(const std::string& name)
      : value_(name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (value_ > STDIN_FILENO) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

Failure failed(const std::string& name, const std::string& what) {
  return {ExitCode::refused, (name == "-" ? "standard input" : name) + ": " + what};
}

/// Decompresses as the bytes come.
class Decompressor {
 public:
  Decompressor() : stream_(ZSTD_createDStream(), ZSTD_freeDStream), out_(ZSTD_DStreamOutSize()) {}
  /// Nothing, or what is wrong with the bytes.
  std::string feed(std::string_view bytes, const std::function<bool(std::string_view)>& take,
                   bool& stopped) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    // Output that fills the buffer may have more behind it, also when all input is used.
    for (bool full = false; in.pos < in.size || full;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(left) != 0) return std::string("zstd: ") + ZSTD_getErrorName(left);
      frame_ended_ = left == 0;
      full = out.pos == out.size;
      if (out.pos > 0 && !take({out_.data(), out.pos})) {
        stopped = true;
        return {};
      }
    }
    return {};
  }
  bool at_the_end_of_a_frame() const { return frame_ended_; }

 private:
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
  std::vector<char> out_;
  bool frame_ended_ = false;
};

}  // namespace

Outcome<Done> read_input(const std::string& name,
                         const std::function<bool(std::string_view)>& take) {
  const Descriptor descriptor(name);
  if (descriptor.value() < 0) return failed(name, std::strerror(errno));
  std::vector<char> buffer(piece_bytes);
  std::unique_ptr<Decompressor> decompressor;
  if (name.ends_with(".zst")) decompressor = std::make_unique<Decompressor>();
  bool first = true, stopped = false;
  while (!stopped) {
    const ssize_t got = ::read(descriptor.value(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(name, std::strerror(errno));
    if (got == 0) {
      if (decompressor && !decompressor->at_the_end_of_a_frame())
        return failed(name, "zstd: the file is cut off");
      return Done{};
    }
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
    if (first && name == "-" && piece.starts_with(zstd_magic))
      decompressor = std::make_unique<Decompressor>();
    first = false;
    if (!decompressor) {
      stopped = !take(piece);
    } else if (const std::string wrong = decompressor->feed(piece, take, stopped); !wrong.empty()) {
      return failed(name, wrong);
    }
  }
  return Done{};
}

}  // namespace souk::cli
