// The login against a server that says anything. Input: one byte of settings, then packets as
// length (2 bytes) and bytes. Checked besides memory: without TLS or a unix socket the password is
// never in what goes out.
#include "binlog/handshake.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)

constexpr std::string_view kPassword = "a-password-of-some-length";

// Small enough for speed, a real key all the same.
constexpr std::string_view kServerKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQD6j8dwMqSTM8VfZYUWXiv8qcoj\n"
    "xXMv9lIhJCCnSLWTP4WE19OylDnQI9VuLMugtZ9HyD4+72tmuFf+StuZ5VnAJBuu\n"
    "SAyNBphushJrbSPzhK/f0n/K4B/h+8WvDuu9KzuV1j/h3T59C7sii3iw0I6U9OuN\n"
    "meYAbEBnpstbh+M+vwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Cursor cursor({reinterpret_cast<const std::byte*>(data), size});
  const auto settings = cursor.u8();
  Credentials credentials;
  credentials.user = "user";
  credentials.password = kPassword;
  credentials.tls = static_cast<TlsMode>(settings % 5);
  credentials.local_socket = (settings & 0x20) != 0;
  if ((settings & 0x40) != 0) credentials.server_key = kServerKey;
  const bool verified = credentials.tls >= TlsMode::VerifyCa;
  Handshake handshake(credentials);
  bool encrypted = false;
  while (!cursor.at_end()) {
    auto output = handshake.receive(cursor.take(cursor.u16()));
    if (!cursor.ok() || !output) return 0;
    if (output->step == Handshake::Step::StartTls) {
      if (output->payload.find("user") != std::string::npos) std::abort();
      encrypted = true;
      output = handshake.tls_started(verified);
      if (!output) return 0;
    }
    const bool has_password = output->payload.find(kPassword) != std::string::npos;
    if (has_password && !encrypted && !credentials.local_socket) std::abort();
    if (output->step == Handshake::Step::Done || output->step == Handshake::Step::Refused) return 0;
  }
  return 0;
}
