#include "server/token.h"

#include "server/target.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rowtrail::server {
namespace {

constexpr std::string_view kPrefix = "rt_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kTokenFileBytesMax = 4096;

std::array<unsigned char, 32> sha256(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

std::string checksum(std::string_view text) {
  const auto digest = sha256(text);
  return base64url_encode({reinterpret_cast<const char*>(digest.data()), kChecksumBytes});
}

Problem unauthorized(std::string detail) {
  return {ProblemId::Unauthorized, std::move(detail),
          "Send `Authorization: Bearer <token>`; `rowtrail run` says where its token file is.", ""};
}

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw core::Failure(core::Area::Usage, false, fmt::format("token file {}: {}", path, what));
}

/// A descriptor that closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string read_token(const File& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) fail(path, std::strerror(errno));
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    fail(path, "others may read it; run `chmod 600` on it, or remove it and start again");
  }
  std::string text(kTokenFileBytesMax, '\0');
  const ssize_t size = ::read(file.fd(), text.data(), text.size());
  if (size < 0) fail(path, std::strerror(errno));
  text.resize(static_cast<std::size_t>(size));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) fail(path, "it is empty; remove it and start again");
  return text;
}

}  // namespace

Authenticator::Authenticator(const Options& options)
    : token_check_(options.token_check), no_auth_(options.no_auth) {
  for (const std::string& secret : options.tokens) {
    if (!secret.empty()) digests_.push_back(sha256(secret));
  }
}

std::optional<Principal> Authenticator::check(std::string_view secret) const {
  const Digest digest = sha256(secret);
  bool known = false;
  for (const Digest& candidate : digests_) {  // all of them, whichever fits
    known |= CRYPTO_memcmp(candidate.data(), digest.data(), digest.size()) == 0;
  }
  if (known) return Principal{"file", kScopeRead};
  return token_check_ ? token_check_(secret) : std::nullopt;
}

Outcome<Principal> Authenticator::admit(const Request& request, Scope needed) const {
  if (needed == kScopeNone) return Principal{"", kScopeNone};
  if (no_auth_ && needed == kScopeRead) return Principal{"anyone", kScopeRead};
  const std::string_view header = request.header("Authorization");
  if (header.empty()) return unauthorized("The request carries no token.");
  constexpr std::string_view kBearer = "Bearer ";
  if (request.header_count("Authorization") > 1 || header.size() <= kBearer.size() ||
      !equals_ignoring_case(header.substr(0, kBearer.size()), kBearer)) {
    return unauthorized("The Authorization header is not of the form `Bearer <token>`.");
  }
  const std::string_view secret = header.substr(kBearer.size());
  const auto principal = check(secret);
  if (!principal) {
    return unauthorized(is_well_formed_token(secret)
                            ? "The token is not known, or no longer valid."
                            : "The token is not known: it was not copied whole.");
  }
  if ((principal->scopes & needed) == 0) {
    return Problem{ProblemId::Forbidden, "The token's scopes do not include the one of this route.",
                   "", ""};
  }
  return *principal;
}

bool is_well_formed_token(std::string_view secret) {
  const std::size_t check_size = checksum({}).size();
  if (!secret.starts_with(kPrefix) || secret.size() <= kPrefix.size() + check_size) return false;
  const std::string_view body = secret.substr(0, secret.size() - check_size);
  return checksum(body) == secret.substr(body.size());
}

std::string make_token() {
  std::array<unsigned char, kSecretBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw core::Failure(core::Area::Usage, true, "the system gives no random bytes for a token");
  }
  std::string secret(kPrefix);
  secret += base64url_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return secret + checksum(secret);
}

std::string token_from_file(const std::string& path) {
  const File existing(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (existing.open()) return read_token(existing, path);
  if (errno != ENOENT) fail(path, std::strerror(errno));
  const File fresh(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fresh.open()) fail(path, std::strerror(errno));
  const std::string secret = make_token();
  const std::string line = secret + "\n";
  if (::write(fresh.fd(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      ::fsync(fresh.fd()) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    fail(path, std::strerror(error));
  }
  return secret;
}

}  // namespace rowtrail::server
