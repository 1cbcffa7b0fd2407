#include "server/dashboard.h"

#include "server/encoding.h"

#include <algorithm>
#include <cassert>
#include <memory>

#include <fmt/format.h>
#include <libdeflate.h>

namespace rowtrail::server {
namespace {

/// First segments of the views' addresses; web/src/router.ts has the same list.
constexpr std::string_view kViews[] = {"today",   "events", "objects", "rows",   "anomalies",
                                       "process", "rules",  "sources", "changes"};
/// Nothing from elsewhere, nothing inline; EventSource and fetch speak to this server only.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string unpack(const Asset& asset) {
  struct Free {
    void operator()(libdeflate_decompressor* it) const { libdeflate_free_decompressor(it); }
  };
  const std::unique_ptr<libdeflate_decompressor, Free> decompressor(
      libdeflate_alloc_decompressor());
  std::string plain(asset.bytes, '\0');
  [[maybe_unused]] const auto result =
      libdeflate_gzip_decompress(decompressor.get(), asset.packed.data(), asset.packed.size(),
                                 plain.data(), plain.size(), nullptr);
  assert(result == LIBDEFLATE_SUCCESS);
  return plain;
}

const Asset* find_asset(std::string_view path) {
  const auto assets = dashboard_assets();
  const auto found =
      std::find_if(assets.begin(), assets.end(), [&](const Asset& it) { return it.path == path; });
  return found == assets.end() ? nullptr : &*found;
}

bool is_view(const Request& request, const std::vector<std::string>& segments) {
  if (segments.empty() || (segments.size() == 1 && segments[0].empty())) return true;
  return request.header("Accept").find("text/html") != std::string_view::npos &&
         std::find(std::begin(kViews), std::end(kViews), segments[0]) != std::end(kViews);
}

}  // namespace

std::optional<Response> dashboard_answer(const Request& request,
                                         const std::vector<std::string>& segments) {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  const Asset* asset = nullptr;
  if (is_view(request, segments)) {
    asset = find_asset("/index.html");
  } else {
    asset = find_asset(fmt::format("/{}", fmt::join(segments, "/")));
  }
  if (asset == nullptr) return std::nullopt;

  const bool packed = accepts_gzip(request.header("Accept-Encoding"));
  // Strong tags differ where bytes differ: the coding is part of it.
  const std::string etag = fmt::format("\"{}{}\"", asset->etag, packed ? "-gzip" : "");
  Response response;
  response.content_type = asset->content_type;
  response.set_header("ETag", etag);
  response.set_header("Vary", "Accept-Encoding");
  response.set_header("Cache-Control",
                      asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.set_header("Content-Security-Policy", std::string(kPolicy));
  if (matches_etag(request.header("If-None-Match"), etag)) {
    response.status = 304;
    return response;
  }
  if (packed) {
    response.set_header("Content-Encoding", "gzip");
    response.body.assign(asset->packed.data(), asset->packed.size());
  } else {
    response.body = unpack(*asset);
  }
  return response;
}

}  // namespace rowtrail::server
