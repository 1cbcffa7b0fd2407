#include "server/token.h"

#include "server/target.h"

#include <algorithm>
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

std::string random_text() {
  std::array<unsigned char, kSecretBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw core::Failure(core::Area::Usage, true, "the system gives no random bytes for a token");
  }
  return base64url_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Our cookie's value; a second one of the same name is ignored.
std::string_view cookie_of(const Request& request) {
  std::string_view rest = request.header("Cookie");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == kSessionCookie) {
      return pair.substr(equals + 1);
    }
  }
  return {};
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
  if (known) return Principal{"file", ScopeRead | ScopeMcp};
  return token_check_ ? token_check_(secret) : std::nullopt;
}

Outcome<Principal> Authenticator::admit(const Request& request, Scope needed, std::int64_t now_us) {
  if (needed == ScopeNone) return Principal{"", ScopeNone};
  constexpr std::uint8_t kOpen = ScopeRead | ScopeMcp;
  if (no_auth_ && (needed & kOpen) != 0) return Principal{"anyone", kOpen};
  const std::string_view header = request.header("Authorization");
  std::optional<Principal> principal;
  if (header.empty()) {
    principal = check_cookie(request, now_us);
    if (!principal) return unauthorized("The request carries no token.");
  } else {
    constexpr std::string_view kBearer = "Bearer ";
    if (request.header_count("Authorization") > 1 || header.size() <= kBearer.size() ||
        !equals_ignoring_case(header.substr(0, kBearer.size()), kBearer)) {
      return unauthorized("The Authorization header is not of the form `Bearer <token>`.");
    }
    const std::string_view secret = header.substr(kBearer.size());
    principal = check(secret);
    if (!principal) {
      return unauthorized(is_well_formed_token(secret)
                              ? "The token is not known, or no longer valid."
                              : "The token is not known: it was not copied whole.");
    }
  }
  if ((principal->scopes & needed) == 0) {
    return Problem{ProblemId::Forbidden, "The token's scopes do not include the one of this route.",
                   "", ""};
  }
  return *principal;
}

std::optional<Principal> Authenticator::check_cookie(const Request& request, std::int64_t now_us) {
  // A page of another site cannot read answers, but it need not even make us read the store.
  const std::string_view site = request.header("Sec-Fetch-Site");
  if (site == "cross-site" || site == "same-site") return std::nullopt;
  const std::lock_guard lock(mutex_);
  return find(sessions_, cookie_of(request), now_us);
}

std::string Authenticator::grant(Grants& grants, const Principal& principal,
                                 std::int64_t until_us) {
  if (grants.size() >= kSessionsMax) {
    grants.erase(std::min_element(grants.begin(), grants.end(), [](const auto& a, const auto& b) {
      return a.second.until_us < b.second.until_us;
    }));
  }
  std::string secret = random_text();
  grants[sha256(secret)] = {principal, until_us};
  return secret;
}

std::optional<Principal> Authenticator::find(const Grants& grants, std::string_view secret,
                                             std::int64_t now_us) {
  if (secret.empty()) return std::nullopt;
  const auto found = grants.find(sha256(secret));
  if (found == grants.end() || now_us >= found->second.until_us) return std::nullopt;
  return found->second.principal;
}

std::string Authenticator::make_login_code(std::int64_t now_us) {
  const std::lock_guard lock(mutex_);
  return grant(codes_, {"browser", ScopeRead}, now_us + kLoginCodeSeconds * 1'000'000);
}

std::optional<Principal> Authenticator::redeem(std::string_view code, std::int64_t now_us) {
  const std::lock_guard lock(mutex_);
  auto principal = find(codes_, code, now_us);
  codes_.erase(sha256(code));
  return principal;
}

std::string Authenticator::open_session(const Principal& principal, std::int64_t now_us) {
  const std::lock_guard lock(mutex_);
  return grant(sessions_, principal, now_us + kSessionSeconds * 1'000'000);
}

void Authenticator::close_session(const Request& request) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(sha256(cookie_of(request)));
}

bool is_well_formed_token(std::string_view secret) {
  const std::size_t check_size = checksum({}).size();
  if (!secret.starts_with(kPrefix) || secret.size() <= kPrefix.size() + check_size) return false;
  const std::string_view body = secret.substr(0, secret.size() - check_size);
  return checksum(body) == secret.substr(body.size());
}

std::string make_token() {
  std::string secret(kPrefix);
  secret += random_text();
  return secret + checksum(secret);
}

std::string token_from_file(const std::string& path) {
  const File existing(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (existing.open()) return read_token(existing, path);
  if (errno != ENOENT) fail(path, std::strerror(errno));
  const File fresh(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fresh.open()) fail(path, std::strerror(errno));
  std::string secret = make_token();
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
