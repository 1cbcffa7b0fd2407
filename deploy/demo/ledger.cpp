#include "deploy/demo/ledger.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::demo {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

std::string utc_now() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto micros = now.time_since_epoch().count() % 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)), micros);
}

void member(Writer& writer, const char* name, std::string_view value) {
  writer.Key(name);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

}  // namespace

Ledger::Ledger(const std::string& path, bool append) {
  if (path.empty()) return;
  file_.reset(std::fopen(path.c_str(), append ? "a" : "w"));
  if (!file_)
    throw std::runtime_error(
        fmt::format("cannot write the ledger {}: {}", path, std::strerror(errno)));
}

void Ledger::write(const std::vector<Deed>& deeds, const std::string& transaction) {
  const std::string time = utc_now();
  std::string lines;
  for (const Deed& deed : deeds) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    member(writer, "type", deed.type);
    writer.Key("objects");
    writer.StartArray();
    for (const Object& object : deed.objects) {
      writer.StartObject();
      member(writer, "type", object.type);
      member(writer, "id", object.id);
      if (!object.role.empty()) member(writer, "role", object.role);
      writer.EndObject();
    }
    writer.EndArray();
    member(writer, "actor", deed.actor);
    member(writer, "time", time);
    if (!transaction.empty()) member(writer, "transaction", transaction);
    writer.EndObject();
    lines.append(buffer.GetString(), buffer.GetSize());
    lines.push_back('\n');
  }
  const std::lock_guard lock(mutex_);
  deeds_written_ += deeds.size();
  if (!file_) return;
  if (std::fwrite(lines.data(), 1, lines.size(), file_.get()) != lines.size() ||
      std::fflush(file_.get()) != 0) {
    throw std::runtime_error(fmt::format("cannot write the ledger: {}", std::strerror(errno)));
  }
}

}  // namespace rowtrail::demo
