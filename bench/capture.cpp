// How fast the bytes of one binlog file come in from a live server, by three clients in turn:
//
//   bench_capture --source URL [--file binlog.000004] [--runs N] [--server-pid PID]
//
//   discard   blocking 64 KiB reads, everything thrown away: the least a client can do
//   gathered  the same with 1 MiB reads and a nap of 50 us after each that brought less than 256
//   KiB next      ServerSource::next() to every event, which is what rowtrail reads with
//
// The clients alternate within each run, so that ratios hold on a machine whose speed drifts. MB
// are 10^6 bytes of the binlog file. The password comes from $ROWTRAIL_SOURCE_PASSWORD. Without
// --file the largest file that is no longer written to is taken.
#include "binlog/binlog.h"
#include "binlog/server_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace {

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using Clock = std::chrono::steady_clock;

constexpr std::size_t kFramingBytes = 5;  // packet header and status byte before each event
constexpr std::uint8_t kRotateEvent = 4;
constexpr std::size_t kDiscardRead = 64 * 1024;
constexpr std::size_t kGatheredRead = 1024 * 1024;
constexpr std::size_t kPlenty = 256 * 1024;
constexpr timespec kNap{0, 50'000};

struct Workload {
  ServerOptions options;
  Position from;
  Flavor flavor = Flavor::MySql;
  std::uint64_t wire_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t events = 0;
};

struct Measure {
  std::vector<double> seconds, client_cpu, server_cpu, reads;
};

[[noreturn]] void fail(const std::string& message) {
  fmt::print(stderr, "bench_capture: {}\n", message);
  std::exit(1);
}

double client_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double server_cpu(int pid) {
  if (pid == 0) return 0;
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  std::vector<std::string> fields;
  std::size_t at = text.rfind(')') + 2;
  while (at < text.size()) {
    const auto end = std::min(text.find(' ', at), text.size());
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (fields.size() < 13) return 0;
  return (std::stod(fields[11]) + std::stod(fields[12])) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Reads the file once to its Rotate: what it weighs on the wire. Also warms the page cache.
void weigh(Workload& work) {
  const auto source = open_server_source(work.options, work.from, work.flavor);
  for (bool formatted = false;;) {
    const auto raw = source->next();
    if (!raw) fail(raw.error().message);
    if (raw->empty()) fail("the stream ended");
    work.wire_bytes += raw->size() + kFramingBytes;
    const auto type = std::to_integer<std::uint8_t>((*raw)[4]);
    if (type != kRotateEvent) {
      formatted = true;
      work.file_bytes += raw->size();
      ++work.events;
    } else if (formatted) {
      return;
    }
  }
}

/// A client that does nothing with what it reads. The number of reads.
std::uint64_t discard(const Workload& work, std::size_t read_bytes, bool naps) {
  Connection connection(work.options);
  const auto identity = choose_identity(0);
  const auto sql = dump_settings_sql(work.options, work.flavor, identity);
  connection.execute('\x03' + sql, Stage::Statement);
  const auto dump = dump_command(work.from, work.flavor, 0, identity.server_id);
  connection.send(*dump);
  const int socket = connection.transport().native_handle();
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  std::vector<char> buffer(read_bytes);
  std::uint64_t total = 0;
  std::uint64_t reads = 0;
  while (total < work.wire_bytes) {
    const auto count = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (count <= 0) fail("the server closed the connection");
    total += static_cast<std::uint64_t>(count);
    ++reads;
    if (naps && static_cast<std::size_t>(count) < kPlenty) ::nanosleep(&kNap, nullptr);
  }
  return reads;
}

std::uint64_t read_events(const Workload& work) {
  const auto source = open_server_source(work.options, work.from, work.flavor);
  std::uint64_t total = 0;
  while (total < work.wire_bytes) {
    const auto raw = source->next();
    if (!raw) fail(raw.error().message);
    if (raw->empty()) fail("the stream ended");
    total += raw->size() + kFramingBytes;
  }
  return 0;
}

template <class Client>
void measure(Measure& to, int pid, Client client) {
  const auto cpu = client_cpu();
  const auto server = server_cpu(pid);
  const auto began = Clock::now();
  const auto reads = client();
  to.seconds.push_back(std::chrono::duration<double>(Clock::now() - began).count());
  to.client_cpu.push_back(client_cpu() - cpu);
  to.server_cpu.push_back(server_cpu(pid) - server);
  to.reads.push_back(static_cast<double>(reads));
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void print(std::string_view name, const Measure& measure, const Workload& work,
           const Measure& base) {
  const auto mb = static_cast<double>(work.file_bytes) / 1e6;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < measure.seconds.size(); ++i) {
    ratios.push_back(base.seconds[i] / measure.seconds[i]);
  }
  fmt::print("{:<9} {:>7.0f} ({:.0f}-{:.0f}) {:>8.2f} {:>10.2f} {:>10.2f} {:>9.0f}\n", name,
             mb / median(measure.seconds), mb / std::ranges::max(measure.seconds),
             mb / std::ranges::min(measure.seconds), median(ratios), median(measure.client_cpu),
             median(measure.server_cpu), median(measure.reads));
}

// The largest file that the server no longer writes to, unless one is named.
std::string choose_file(Session& session) {
  std::string file;
  std::uint64_t largest = 0;
  auto rows = session.query("SHOW BINARY LOGS");
  if (rows.size() > 1) rows.pop_back();
  for (const auto& row : rows) {
    const auto size = std::stoull(row[1].value_or("0"));
    if (size < largest) continue;
    largest = size;
    file = row[0].value_or("");
  }
  return file;
}

int run(const std::string& url, std::string file, int runs, int pid) {
  const auto options = parse_server_url(url);
  if (!options) fail(options.error().message);
  Workload work{*options, {}, {}, 0, 0, 0};
  if (const char* password = std::getenv("ROWTRAIL_SOURCE_PASSWORD")) {
    work.options.password = password;
  }
  {
    Session session(work.options);
    work.flavor = session.flavor();
    if (file.empty()) file = choose_file(session);
  }
  work.from.file = file;
  work.from.pos = 4;
  weigh(work);
  fmt::print("{}: {:.1f} MB, {} events, {} runs\n", file,
             static_cast<double>(work.file_bytes) / 1e6, work.events, runs);
  Measure plain, gathered, next;
  for (int i = 0; i < runs; ++i) {
    measure(plain, pid, [&] { return discard(work, kDiscardRead, false); });
    measure(gathered, pid, [&] { return discard(work, kGatheredRead, true); });
    measure(next, pid, [&] { return read_events(work); });
  }
  fmt::print("client    MB/s (min-max)    ratio  client s   server s     reads\n");
  print("discard", plain, work, plain);
  print("gathered", gathered, work, plain);
  print("next", next, work, plain);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string source, file;
  int runs = 5;
  int pid = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--source") source = argv[i + 1];
    if (option == "--file") file = argv[i + 1];
    if (option == "--runs") runs = std::atoi(argv[i + 1]);
    if (option == "--server-pid") pid = std::atoi(argv[i + 1]);
  }
  if (source.empty() || runs < 1) fail("usage: --source URL [--file NAME] [--runs N]");
  try {
    return run(source, file, runs, pid);
  } catch (const std::exception& error) {
    fail(error.what());
  }
}
