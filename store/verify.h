// Is the log what was signed? Everything is made again from the record tables: leaves, tiles, tree,
// typed columns, object rows; and compared with what the store holds, with every signed tree head
// and with one that was kept elsewhere. Included by store/store.h.
#pragma once

#include "core/core.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

/// One thing that is not as it was signed.
struct Finding {
  std::uint64_t begin = 0, end = 0;  // records [begin, end); an empty span: the log as a whole
  std::string what;
  std::string advice;
};

struct VerifyOptions {
  std::string keys;   // folder with the public key and the head signed last; empty: the default
  std::string key;    // public key, C2SP text; comes before the folder's
  std::string since;  // a signed tree head that was kept elsewhere
  std::uint32_t threads = 0;  // 0: as many as the machine has processors
  /// Records looked at and records there are; from the calling thread, a few times a second.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
};

struct VerifyReport {
  static constexpr std::size_t kFindingsMax = 1000;

  std::string url;  // without secrets
  std::string origin;
  std::string key;                // that the heads were checked with; empty: none was found
  std::uint64_t size = 0;         // records
  std::uint64_t heads = 0;        // signed tree heads in the store that are right
  std::uint64_t signed_size = 0;  // records under the newest of them
  std::uint64_t since_size = 0;   // records under the head kept elsewhere
  std::uint64_t findings_total = 0;
  std::vector<Finding> findings;   // by seq, at most kFindingsMax
  std::vector<std::string> notes;  // what was not looked at, and why
};

/// Reads the whole log, `threads` parts of 65,536 records at a time. Throws core::Failure when the
/// store cannot be read or there is no such log; errors in `options` are Failures of Area::Usage.
[[nodiscard]] VerifyReport verify_log(const std::string& url, const VerifyOptions& options);

/// What a .tlog-proof proves.
struct ProvedRecord {
  std::string origin;
  std::uint64_t seq = 0;
  std::uint64_t size = 0;  // records under the head
  std::string kind;
  std::int64_t time_us = 0;
  std::string payload;  // empty: it was erased
};
/// Offline: needs nothing but the file's text and the public key.
[[nodiscard]] core::Result<ProvedRecord> verify_proof_text(std::string_view proof,
                                                           std::string_view key);

}  // namespace rowtrail::store
