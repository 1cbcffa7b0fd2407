#include "server/target.h"

#include <algorithm>

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>
#include <openssl/evp.h>
#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::server {
namespace {

namespace urls = boost::urls;

constexpr std::size_t kQueryParametersMax = 64;
constexpr std::size_t kSegmentsMax = 16;

bool is_clean(std::string_view text) noexcept {
  const bool control = std::any_of(text.begin(), text.end(),
                                   [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; });
  return !control && is_utf8(text);
}

Problem bad_target(std::string detail) {
  return {ProblemId::BadRequest, std::move(detail),
          "Percent-encode everything but letters, digits and -._~ in path segments and values.",
          ""};
}

Problem bad_key() {
  return {ProblemId::InvalidParameter, "This id starts with ~ but is not an encoded key.",
          "`~` is followed by the base64url, without padding, of a JSON array of the key's values.",
          ""};
}

template <class Json>
std::string json_text(const Json& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

Outcome<Target> decode(const urls::url_view& url) {
  Target target;
  target.authority = std::string(url.encoded_host_and_port());
  if (url.encoded_segments().size() > kSegmentsMax) return bad_target("The path is too deep.");
  for (const auto segment : url.encoded_segments()) target.segments.push_back(segment.decode());
  if (url.encoded_params().size() > kQueryParametersMax) {
    return bad_target("There are more than 64 query parameters.");
  }
  urls::encoding_opts options;
  options.space_as_plus = true;
  for (const auto& parameter : url.encoded_params()) {
    if (parameter.key.empty() && !parameter.has_value) continue;  // "?", "&&"
    target.query.emplace_back(parameter.key.decode(options), parameter.value.decode(options));
  }
  const bool clean =
      std::all_of(target.segments.begin(), target.segments.end(), is_clean) &&
      std::all_of(target.query.begin(), target.query.end(), [](const auto& parameter) {
        return is_clean(parameter.first) && is_clean(parameter.second);
      });
  if (!clean) return bad_target("The target holds control characters or is not UTF-8.");
  return target;
}

}  // namespace

Outcome<std::vector<std::pair<std::string, std::string>>> parse_exclusions(std::string_view text) {
  constexpr std::string_view kNames[] = {"type", "actor", "source", "severity"};
  std::vector<std::pair<std::string, std::string>> exclusions;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t colon = std::min(item.find(':'), item.size());
    const std::string_view name = item.substr(0, colon);
    const auto value = urls::make_pct_string_view(item.substr(std::min(colon + 1, item.size())));
    if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames) || !value ||
        value->empty() || !is_clean(value->decode())) {
      return Problem{ProblemId::InvalidParameter,
                     "`not` is a list of name:value with the names type, actor, source, severity; "
                     "values are UTF-8 without control characters.",
                     "", "not"};
    }
    exclusions.emplace_back(name, value->decode());
  }
  return exclusions;
}

bool is_utf8(std::string_view text) noexcept {
  rapidjson::MemoryStream stream(text.data(), text.size());
  while (stream.Tell() < text.size()) {
    unsigned code_point = 0;
    if (!rapidjson::UTF8<>::Decode(stream, &code_point)) return false;
  }
  return stream.Tell() == text.size();
}

Outcome<Target> parse_target(std::string_view text) {
  if (text == "*") {
    Target target;
    target.asterisk = true;
    return target;
  }
  const bool origin = text.starts_with('/');
  const auto url = origin ? urls::parse_origin_form(text) : urls::parse_absolute_uri(text);
  if (!url || (!origin && url->scheme() != "http" && url->scheme() != "https")) {
    return bad_target("The request target is not a valid path and query.");
  }
  return decode(*url);
}

std::string percent_encode(std::string_view text) {
  return urls::encode(text, urls::unreserved_chars);
}

std::string base64url_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

Outcome<std::string> base64url_decode(std::string_view text) {
  std::string padded(text);
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(padded.data()),
                                   static_cast<int>(padded.size()));
  if (size >= 0 && padding < 3) {
    bytes.resize(static_cast<std::size_t>(size) - padding);
    if (base64url_encode(bytes) == text) return bytes;  // refuses other spellings of the same bytes
  }
  return Problem{ProblemId::InvalidParameter, "This is not base64url.", "", ""};
}

Outcome<std::string> decode_key(std::string_view text) {
  if (!text.starts_with('~')) return std::string(text);
  const auto json = base64url_decode(text.substr(1));
  if (!json) return bad_key();
  rapidjson::Document array;
  array.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag |
              rapidjson::kParseIterativeFlag>(json->data(), json->size());
  if (array.HasParseError() || !array.IsArray() || array.Empty()) return bad_key();
  if (array.Size() > 1) return *json;
  if (array[0].IsString()) return std::string(array[0].GetString(), array[0].GetStringLength());
  return json_text(array[0]);
}

std::string encode_key(std::string_view id) {
  // Clients resolve "." and ".." before they send a path, and an empty segment matches no route.
  const bool plain = !id.empty() && !id.starts_with('~') && id != "." && id != "..";
  if (plain) return percent_encode(id);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartArray();
  writer.String(id.data(), static_cast<rapidjson::SizeType>(id.size()));
  writer.EndArray();
  std::string key(1, '~');
  return key.append(base64url_encode({buffer.GetString(), buffer.GetSize()}));
}

}  // namespace rowtrail::server
