#include "cli/commands.h"
#include "cli/terminal.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace rowtrail::cli {
namespace {

using core::Area;
using core::Failure;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Failure(Area::Usage, false, "cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A key's text, or the first line of the file of that name.
std::string key_text(const std::string& given) {
  std::error_code ignored;
  if (given.empty() || !std::filesystem::is_regular_file(given, ignored)) return given;
  const auto text = read_file(given);
  return text.substr(0, text.find_first_of("\r\n"));
}

std::string json_text(std::string_view text) {
  std::string out;
  normalize::append_json_string(out, text);
  return out;
}

int verify_proof(const Common& common, const VerifyOptions& options) {
  if (options.key.empty()) {
    throw Failure(
        Area::Usage, false,
        "--proof needs --key: the log's public key, from whoever runs it (its .pub file)");
  }
  const auto proved = store::verify_proof_text(read_file(options.proof), key_text(options.key));
  if (common.format != Format::Text) {
    if (!proved) {
      fmt::print("{{\"proved\":false,\"why\":{}}}\n", json_text(proved.error().message));
      return 1;
    }
    fmt::print(R"({{"proved":true,"log":{},"seq":{},"size":{},"kind":{},"time":{},"payload":{}}})"
               "\n",
               json_text(proved->origin), proved->seq, proved->size, json_text(proved->kind),
               json_text(binlog::format_utc(proved->time_us)),
               proved->payload.empty() ? "null" : proved->payload);
    return 0;
  }
  if (!proved) {
    fmt::print("{}  {}: {}\n", styled("not proved", Style::Bad), options.proof,
               proved.error().message);
    return 1;
  }
  fmt::print("{}  record {} ({} of {}) is in the log {}, under a tree head of {} records\n",
             styled("proved", Style::Good), proved->seq, proved->kind,
             binlog::format_utc(proved->time_us), proved->origin, grouped(proved->size));
  fmt::print("{}\n", proved->payload.empty() ? "Its payload was erased; the proof is of its header."
                                             : fit(proved->payload, std::string::npos));
  return 0;
}

/// One line on standard error that is redrawn, where that is a terminal.
class Progress {
 public:
  void show(std::uint64_t done, std::uint64_t total) {
    if (!shown_ || total == 0) return;
    constexpr std::size_t kWidth = 30;
    const auto full = static_cast<std::size_t>(done * kWidth / total);
    std::string bar;
    for (std::size_t i = 0; i < kWidth; ++i) bar += i < full ? "█" : "░";
    fmt::print(stderr, "\r\x1b[2K{} {:3}%  {} of {} records  {}/s", bar, done * 100 / total,
               grouped(done), grouped(total), grouped(rate(done)));
    std::fflush(stderr);
  }
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\x1b[2K");
  }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  [[nodiscard]] std::uint64_t rate(std::uint64_t records) const {
    return static_cast<std::uint64_t>(static_cast<double>(records) / std::max(seconds(), 0.001));
  }

 private:
  bool shown_ = ::isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

std::string span_text(const store::Finding& finding) {
  if (finding.end <= finding.begin) return "log";
  if (finding.end == finding.begin + 1) return fmt::format("record {}", finding.begin);
  return fmt::format("records {} to {}", finding.begin, finding.end - 1);
}

void print_json(const store::VerifyReport& report) {
  fmt::print(
      R"({{"verified":{},"store":{},"log":{},"key":{},"records":{},"heads":{},"signed":{},"since":{},"findings_total":{},"findings":[)",
      report.findings_total == 0, json_text(report.url), json_text(report.origin),
      json_text(report.key), report.size, report.heads, report.signed_size, report.since_size,
      report.findings_total);
  const char* comma = "";
  for (const auto& finding : report.findings) {
    fmt::print(R"({}{{"begin":{},"end":{},"what":{},"advice":{}}})", std::exchange(comma, ","),
               finding.begin, finding.end, json_text(finding.what), json_text(finding.advice));
  }
  fmt::print("],\"notes\":[");
  comma = "";
  for (const auto& note : report.notes) {
    fmt::print("{}{}", std::exchange(comma, ","), json_text(note));
  }
  fmt::print("]}}\n");
}

void print_findings(const store::VerifyReport& report) {
  const std::string* advice = nullptr;
  for (const auto& finding : report.findings) {
    // The same advice once for all that follow each other.
    if (advice != nullptr && *advice != finding.advice) {
      fmt::print("       {}\n", styled(*advice, Style::Accent));
    }
    fmt::print("{}  {}: {}\n", styled("wrong", Style::Bad), span_text(finding),
               fit(finding.what, std::string::npos));
    advice = &finding.advice;
  }
  if (advice != nullptr) fmt::print("       {}\n", styled(*advice, Style::Accent));
  if (report.findings_total > report.findings.size()) {
    fmt::print("…      and {} more\n", grouped(report.findings_total - report.findings.size()));
  }
}

void print_text(const store::VerifyReport& report, const VerifyOptions& options) {
  fmt::print("{}  {}, {}\n", styled("log  ", Style::Muted), report.origin, report.url);
  print_findings(report);
  for (const auto& note : report.notes) {
    fmt::print("{}  {}\n", styled("note ", Style::Warn), note);
  }
  if (report.findings_total > 0) {
    fmt::print("{}  {} thing{} not as they were signed\n", styled("FOUND", Style::Bad),
               grouped(report.findings_total), report.findings_total == 1 ? " is" : "s are");
    return;
  }
  if (!options.since.empty()) {
    fmt::print("{}  the log extends the head of {} records in {}\n", styled("since", Style::Good),
               grouped(report.since_size), options.since);
  }
  fmt::print("{}  {} records are as they were written; {} signed tree heads, the newest over {}\n",
             styled("ok   ", Style::Good), grouped(report.size), grouped(report.heads),
             grouped(report.signed_size));
  if (options.since.empty()) {
    fmt::print(
        "       Whoever owns store and key could have written another log: keep heads elsewhere "
        "and use --since.\n");
  }
}

}  // namespace

int verify_command(const Common& common, const VerifyOptions& options) {
  if (!options.proof.empty()) return verify_proof(common, options);
  Progress progress;
  store::VerifyOptions wanted;
  wanted.keys = common.config.keys;
  wanted.key = key_text(options.key);
  if (!options.since.empty()) wanted.since = read_file(options.since);
  wanted.threads = options.threads;
  wanted.on_progress = [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); };
  const auto report = store::verify_log(common.config.store_url, wanted);
  const auto seconds = progress.seconds();
  progress.show(report.size, report.size);
  if (common.format != Format::Text) {
    print_json(report);
  } else {
    print_text(report, options);
  }
  core::log(core::Level::Info, fmt::format("{} records verified in {:.1f} s ({} a second)",
                                           report.size, seconds, progress.rate(report.size)));
  return report.findings_total == 0 ? 0 : 1;
}

int prove_command(const Common& common, std::uint64_t seq, const std::string& out) {
  const auto reader = store::open_reader(common.config.store_url);
  const auto proof = reader->proof(seq);
  if (!proof) {
    throw Failure(Area::Usage, false,
                  fmt::format("no signed tree head has a record {} yet; the log holds {} records, "
                              "and `rowtrail run` signs within a second of a commit",
                              seq, reader->status().size));
  }
  if (out.empty()) {
    fmt::print("{}", *proof);
    return 0;
  }
  std::ofstream file(out, std::ios::binary | std::ios::trunc);
  file << *proof;
  file.close();
  if (!file) throw Failure(Area::Usage, false, "cannot write " + out);
  return 0;
}

}  // namespace rowtrail::cli
