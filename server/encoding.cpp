#include "server/encoding.h"

#include <algorithm>
#include <memory>

#include <libdeflate.h>

namespace rowtrail::server {
namespace {

constexpr std::size_t kWorthBytes = 1400;  // less fits into one packet anyway
constexpr int kLevel = 4;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

std::string gzip(std::string_view text) {
  thread_local const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (!compressor) return {};
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), text.size()), '\0');
  out.resize(
      libdeflate_gzip_compress(compressor.get(), text.data(), text.size(), out.data(), out.size()));
  return out;
}

bool is_zero_quality(std::string_view parameters) {
  const std::size_t q = parameters.find("q=0");
  return q != std::string_view::npos &&
         parameters.find_first_not_of("0.", q + 2) == std::string_view::npos;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const std::size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    std::string_view coding = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    while (coding.starts_with(' ')) coding.remove_prefix(1);
    const std::size_t end = std::min(coding.find_first_of("; "), coding.size());
    if (!equals_ignoring_case(coding.substr(0, end), "gzip")) continue;
    return !is_zero_quality(coding.substr(end));
  }
  return false;
}

void encode_body(const Request& request, Response& response) {
  if (response.stream || response.live || response.body.size() < kWorthBytes) return;
  response.set_header("Vary", "Accept-Encoding");
  if (!accepts_gzip(request.header("Accept-Encoding"))) return;
  std::string packed = gzip(response.body);
  if (packed.empty() || packed.size() >= response.body.size()) return;
  response.body = std::move(packed);
  response.set_header("Content-Encoding", "gzip");
}

}  // namespace rowtrail::server
