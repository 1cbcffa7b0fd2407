#include "store/keys.h"

#include "core/core.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rowtrail::store {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw core::Failure(core::Area::Usage, false, fmt::format("{}: {}", path, what));
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

/// Empty when there is no such file.
std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    if (fs::exists(path)) fail(path, "this user may not read it");
    return {};
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Makes the names in a folder durable.
void sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || ::fsync(fd) != 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    throw core::Failure(core::Area::Store, true,
                        fmt::format("{}: {}", folder, std::strerror(error)));
  }
  ::close(fd);
}

/// Whole or not at all, and durable. A full disk is as passing here as in the store.
void write_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string fresh = path + ".new";
  const auto refuse = [](const std::string& name, int error) {
    throw core::Failure(core::Area::Store, true, fmt::format("{}: {}", name, std::strerror(error)));
  };
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) refuse(fresh, errno);
  errno = ENOSPC;  // what a short write means
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!written) refuse(fresh, error);
  if (::rename(fresh.c_str(), path.c_str()) != 0) refuse(path, errno);
  sync_folder(fs::path(path).parent_path().string());
}

void refuse_public(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) fail(path, std::strerror(errno));
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    fail(path, "others may read the signing key; run `chmod 600` on it");
  }
}

}  // namespace

std::string keys_folder(const Url& url, const std::string& configured) {
  if (!configured.empty()) return configured;
  if (url.engine == Engine::Sqlite) return url.path + ".keys";
  if (const char* state = environment("STATE_DIRECTORY")) return std::string(state) + "/keys";
  if (const char* state = environment("XDG_STATE_HOME")) {
    return std::string(state) + "/rowtrail/keys";
  }
  const char* home = environment("HOME");
  return std::string(home != nullptr ? home : ".") + "/.local/state/rowtrail/keys";
}

LogKeys::LogKeys(std::string folder, std::string origin)
    : folder_(std::move(folder)), origin_(std::move(origin)) {
  uuid_ = origin_.substr(origin_.rfind('/') + 1);
}

std::string LogKeys::file(const char* suffix) const {
  return folder_ + "/" + uuid_ + suffix;
}

void LogKeys::make_folder() const {
  std::error_code error;
  fs::create_directories(fs::path(folder_).parent_path(), error);
  if (::mkdir(folder_.c_str(), 0700) == 0) {
    const auto parent = fs::path(folder_).parent_path().string();
    sync_folder(parent.empty() ? "." : parent);
  } else if (errno != EEXIST) {
    fail(folder_, fmt::format("the folder for the signing key cannot be made ({}); give another "
                              "with `keys:` in the config",
                              std::strerror(errno)));
  }
}

std::optional<SigningKey> LogKeys::find() const {
  std::string path = file(".key");
  std::string text;
  const char* credentials = environment("CREDENTIALS_DIRECTORY");
  if (credentials != nullptr) {
    const auto given = std::string(credentials) + "/rowtrail-signing-key";
    text = read_file(given);
    if (!text.empty()) path = given;
  }
  if (text.empty()) {
    text = read_file(path);
    if (text.empty()) {
      if (fs::exists(path)) fail(path, "the signing key's file is empty; restore it from a backup");
      return std::nullopt;
    }
    refuse_public(path);
  }
  auto key = SigningKey::parse(text);
  if (!key) fail(path, "not a signing key: " + key.error().message);
  if (key->name() != origin_) {
    fail(path, fmt::format("the signing key is that of the log {}, this log is {}", key->name(),
                           origin_));
  }
  return std::move(*key);
}

SigningKey LogKeys::make() {
  make_folder();
  const auto path = file(".key");
  for (int number = 1; fs::exists(path); ++number) {
    const auto kept = fmt::format("{}.{}", path, number);
    if (!fs::exists(kept)) fs::rename(path, kept);
  }
  auto key = SigningKey::generate(origin_);
  write_file(path, key.private_text() + "\n", 0600);
  return key;
}

void LogKeys::publish(const SigningKey& key) {
  if (vkey() == key.vkey()) return;
  make_folder();
  write_file(file(".pub"), key.vkey() + "\n", 0644);
}

std::string LogKeys::vkey() const {
  auto text = read_file(file(".pub"));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string LogKeys::last_head() const {
  return read_file(file(".head"));
}

void LogKeys::set_last_head(const std::string& note) {
  make_folder();
  write_file(file(".head"), note, 0644);
}

}  // namespace rowtrail::store
