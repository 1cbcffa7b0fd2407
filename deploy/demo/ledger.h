// The ledger: what the staff did, one JSON line for each business event, written only after the
// database confirmed the commit. It is the ground truth that rowtrail's events are compared with.
// Safe to use from several threads.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace rowtrail::demo {

struct Object {
  std::string type;
  std::string id;
  std::string role;  // empty: none
};

inline Object object(std::string type, std::int64_t id, std::string role = "") {
  return {std::move(type), std::to_string(id), std::move(role)};
}

struct Deed {
  std::string type;
  std::vector<Object> objects;
  std::string actor;
};

class Ledger {
 public:
  // An empty path keeps no ledger. Throws std::runtime_error when the file cannot be opened.
  Ledger(const std::string& path, bool append);

  // All deeds of one transaction; transaction is its GTID or empty. Flushed before it returns.
  void write(const std::vector<Deed>& deeds, const std::string& transaction);
  std::uint64_t deeds_written() const { return deeds_written_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::mutex mutex_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t deeds_written_ = 0;
};

}  // namespace rowtrail::demo
