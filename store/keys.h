// Where a log's signing key lives: never in the store. A folder of mode 0700 with, for the log's
// UUID, `UUID.key` (0600, the private key), `UUID.pub` (for whoever verifies) and `UUID.head` (the
// tree head signed last: what the store may not fall behind). A key given by systemd as the
// credential `rowtrail-signing-key` comes before the folder's.
#pragma once

#include "store/note.h"
#include "store/url.h"

#include <optional>
#include <string>

namespace rowtrail::store {

/// `configured` when it is not empty; else beside a SQLite file (FILE.keys), and for Postgres
/// $STATE_DIRECTORY/keys, $XDG_STATE_HOME/rowtrail/keys or ~/.local/state/rowtrail/keys.
[[nodiscard]] std::string keys_folder(const Url& url, const std::string& configured);

/// The key and the last head of one log, in a folder.
class LogKeys {
 public:
  LogKeys(std::string folder, std::string origin);

  /// The log's key if there is one. Throws core::Failure (Area::Usage) when others may read it, or
  /// when it is damaged or another log's.
  [[nodiscard]] std::optional<SigningKey> find() const;
  /// Makes a key, in place of one that may be there (which is kept as UUID.key.N).
  SigningKey make();
  /// Leaves the public key for whoever verifies, wherever the private one came from.
  void publish(const SigningKey& key);
  /// The public key in the folder, empty when there is none.
  [[nodiscard]] std::string vkey() const;

  /// The note of the head signed last; empty when there is none.
  [[nodiscard]] std::string last_head() const;
  /// Durable before it returns.
  void set_last_head(const std::string& note);

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

 private:
  [[nodiscard]] std::string file(const char* suffix) const;
  void make_folder() const;

  std::string folder_;
  std::string origin_;
  std::string uuid_;
};

}  // namespace rowtrail::store
