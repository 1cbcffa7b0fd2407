#include "pipeline/capture.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace rowtrail::pipeline {
namespace {

using core::Area;
using core::Failure;

constexpr std::chrono::milliseconds kPushSlice{500};

/// The number behind the last dot of a binlog's name; 0 when there is none.
std::uint64_t file_number(const std::string& file) {
  const auto dot = file.rfind('.');
  std::uint64_t number = 0;
  if (dot != std::string::npos) {
    std::from_chars(file.data() + dot + 1, file.data() + file.size(), number);
  }
  return number;
}

/// "file:pos" with a numeric pos, as opposed to a GTID set.
std::optional<binlog::Position> parse_file_position(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || text.find('-') != std::string::npos) return std::nullopt;
  binlog::Position position;
  position.file = text.substr(0, colon);
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(begin, end, position.pos);
  if (parsed.ec != std::errc{} || parsed.ptr != end || position.file.empty()) return std::nullopt;
  return position;
}

binlog::Position starting_position(binlog::Session& session, const std::string& start) {
  if (start.empty() || start == "now") return session.current_position();
  if (start == "earliest") return session.earliest_position();
  if (auto position = parse_file_position(start)) return *position;
  auto set = binlog::GtidSet::parse(start, session.flavor());
  if (!set) {
    throw Failure(
        Area::Usage, false,
        fmt::format("--start '{}' is none of now, earliest, a GTID set, file:position: {}", start,
                    set.error().message));
  }
  binlog::Position position;
  position.gtid_set = set->text();
  return position;
}

}  // namespace

int compare_positions(const std::string& file_a, std::uint64_t pos_a, const std::string& file_b,
                      std::uint64_t pos_b) {
  const auto a = std::pair(file_number(file_a), pos_a);
  const auto b = std::pair(file_number(file_b), pos_b);
  return a < b ? -1 : (b < a ? 1 : 0);
}

void Capture::run() noexcept {
  try {
    supervise();
  } catch (...) {
    state_.fail(std::current_exception());
  }
  close_source();
  channel_.close();
}

void Capture::interrupt() noexcept {
  const std::scoped_lock lock(source_mutex_);
  if (source_) source_->stop();
}

void Capture::close_source() {
  const std::scoped_lock lock(source_mutex_);
  source_.reset();
}

void Capture::supervise() {
  Backoff backoff(config_.limits);
  epoch_ = channel_.epoch();
  resume_from_store();
  while (!state_.stopping()) {
    const auto delivered_before = resume_.position;
    try {
      switch (stream()) {
        case Outcome::Ended:
          if (!state_.stopping()) state_.set_phase(Phase::Finished, {});
          return;
        case Outcome::Reset:
          close_source();
          epoch_ = channel_.epoch();
          resume_from_store();
          break;
        case Outcome::Stalled:
          close_source();
          break;
      }
    } catch (const Failure& failure) {
      close_source();
      if (!failure.retryable()) throw;
      const bool moved = delivered_before.pos != resume_.position.pos ||
                         delivered_before.file != resume_.position.file;
      if (moved) backoff.reset();
      state_.update([](Snapshot& s) { ++s.reconnects; });
      if (!state_.wait_to_retry(Phase::Reconnecting, failure, backoff)) return;
    }
  }
}

void Capture::resume_from_store() {
  store::SourceState durable;
  if (!state_.wait_durable(epoch_, durable)) return;
  resume_ = {};
  resume_.position = durable.position;
  resume_.event_time_us = durable.event_time_us;
  for (auto& schema : durable.schemas) {
    resume_.schemas[{schema.database, schema.table}] = std::move(schema);
  }
  resume_.xa_tables = std::move(durable.xa_tables);
  parts_seen_ = 0;
  forget_delivered();
  stalled_.reset();
  resume_.gtids = stored_gtids(durable.position);
}

void Capture::ask_server() {
  if (!config_.source.files.empty()) {
    if (resume_.position.file.empty()) {
      resume_.position.file = config_.source.files.front();
      resume_.position.pos = 4;
    }
    return;
  }
  binlog::Session session(config_.source.server);
  flavor_ = session.flavor();
  if (resume_.position.empty()) {
    resume_.position = starting_position(session, config_.source.start);
    start_untold_ = true;
    if (!resume_.position.gtid_set.empty()) {
      resume_.gtids = binlog::GtidSet::parse(resume_.position.gtid_set, flavor_).value();
    }
  }
  gtids_on_ = flavor_ == binlog::Flavor::MariaDb || session.variable("gtid_mode") == "ON";
  if (!gtids_on_) {
    resume_.gtids.reset();
    resume_.position.gtid_set.clear();
  } else if (resume_.gtids) {
    resume_.position.gtid_set = resume_.gtids->text();
  }
  if (config_.until_end && !end_) end_ = session.current_position();
}

std::optional<Capture::Outcome> Capture::tell_start() {
  if (!std::exchange(start_untold_, false) || !resume_.gtids) return std::nullopt;
  Item item;
  item.file = resume_.position.file;
  item.pos = resume_.position.pos;
  item.gtids = std::make_unique<binlog::GtidSet>(*resume_.gtids);
  auto outcome = push(item);
  if (outcome == Outcome::Stalled) stalled_ = std::move(item);
  return outcome;
}

std::unique_ptr<binlog::Source> Capture::open_source() {
  if (config_.source.files.empty()) {
    return binlog::open_server_source(config_.source.server, resume_.position, flavor_);
  }
  // Files before the durable one are done; the durable one goes on behind its last transaction.
  const auto& files = config_.source.files;
  const auto base = [](std::string_view path) {  // as the server calls it
    path.remove_prefix(path.rfind('/') + 1);
    for (const std::string_view packed : {".gz", ".zst"}) {
      if (path.ends_with(packed)) path.remove_suffix(packed.size());
    }
    return std::string(path);
  };
  auto first = std::find_if(files.begin(), files.end(), [&](const std::string& path) {
    return base(path) == base(resume_.position.file);
  });
  const std::uint64_t pos =
      first == files.end() ? 4 : std::max<std::uint64_t>(4, resume_.position.pos);
  if (first == files.end()) {
    first = std::find_if(files.begin(), files.end(), [&](const std::string& path) {
      return compare_positions(base(path), 4, base(resume_.position.file), 4) > 0;
    });
  }
  return binlog::open_file_source({first, files.end()}, pos);
}

Capture::Outcome Capture::stream() {
  if (stalled_) {  // hand over what is left from before the link was dropped, then connect again
    Item item = std::move(*stalled_);
    stalled_.reset();
    if (auto outcome = push(item)) {
      if (*outcome == Outcome::Stalled) stalled_ = std::move(item);
      return *outcome;
    }
  }
  state_.set_phase(Phase::Connecting, {});
  ask_server();
  if (end_ && reached_end(resume_.position.file, resume_.position.pos)) return Outcome::Ended;
  {
    auto opened = open_source();
    const std::scoped_lock lock(source_mutex_);
    source_ = std::move(opened);
  }
  if (state_.stopping()) return Outcome::Ended;
  if (auto outcome = tell_start()) return *outcome;

  binlog::Decoder decoder;
  decoder.set_position(resume_.position.file, resume_.position.pos);
  normalize::Options options;
  options.source = config_.source.name;
  options.mask = &mask_;
  options.match_bytes_max = config_.limits.part_bytes_max.value_or(options.match_bytes_max);
  normalize::Normalizer normalizer(options);
  std::vector<normalize::KnownSchema> known;
  for (const auto& [table, schema] : resume_.schemas) known.push_back(schema);
  if (auto resumed = normalizer.resume(known, resume_.event_time_us, resume_.xa_tables); !resumed) {
    throw Failure(Area::Store, false, resumed.error().message);
  }
  resume_.parts_to_skip = parts_seen_;
  parts_seen_ = 0;
  forget_delivered();

  state_.set_phase(Phase::Streaming, {});
  while (!state_.stopping()) {
    const auto raw = source_->next();
    state_.beat_capture();
    if (!raw) throw Failure(Area::Source, false, raw.error().message);
    if (channel_.epoch() != epoch_) return Outcome::Reset;
    if (raw->empty()) {
      if (normalizer.in_transaction() && !state_.stopping()) {
        core::log(
            core::Level::Warn,
            fmt::format("{} ends inside a transaction, which is not recorded; it will be when "
                        "its COMMIT can be read",
                        decoder.file()));
      }
      return Outcome::Ended;
    }
    if (auto file = source_->take_new_file(); !file.empty()) {
      decoder.set_position(std::move(file), source_->new_file_pos());
    }
    auto event = decoder.decode(*raw);
    while (true) {  // more than once for the events inside a compressed transaction
      if (!event) throw Failure(Area::Source, false, event.error().message);
      if (auto pushed = normalizer.push(*event, decoder.file()); !pushed) {
        throw Failure(Area::Source, false, pushed.error().message);
      }
      if (auto outcome = deliver(normalizer)) return *outcome;
      if (!normalizer.in_transaction()) {
        if (auto outcome = note_position(*event, decoder)) return *outcome;
        if (end_ && reached_end(decoder.file(), decoder.position())) return Outcome::Ended;
      }
      if (!decoder.has_inner()) break;
      event = decoder.next_inner();
    }
  }
  return Outcome::Ended;
}

std::optional<Capture::Outcome> Capture::note_position(const binlog::Event& event,
                                                       const binlog::Decoder& decoder) {
  if (const auto* beat = std::get_if<binlog::Heartbeat>(&event.body)) {
    // Skipped transactions arrive as heartbeats only; they may carry us to the end.
    if (end_ && !beat->file.empty() && reached_end(std::string(beat->file), beat->pos)) {
      return Outcome::Ended;
    }
    return std::nullopt;
  }
  Item item;
  if (const auto* previous = std::get_if<binlog::PreviousGtids>(&event.body)) {
    if (resume_.gtids || !gtids_on_) return std::nullopt;
    auto set = binlog::GtidSet::decode(previous->encoded, decoder.flavor());
    if (!set) throw Failure(Area::Source, false, set.error().message);
    resume_.gtids = *set;
    item.gtids = std::make_unique<binlog::GtidSet>(std::move(*set));
  } else if (!std::holds_alternative<binlog::Rotate>(event.body) ||
             decoder.file() == resume_.position.file) {
    return std::nullopt;
  }
  resume_.position.file = decoder.file();
  resume_.position.pos = decoder.position();
  item.file = resume_.position.file;
  item.pos = resume_.position.pos;
  if (auto outcome = push(item)) {
    if (*outcome == Outcome::Stalled) stalled_ = std::move(item);
    return outcome;
  }
  return std::nullopt;
}

std::optional<Capture::Outcome> Capture::deliver(normalize::Normalizer& normalizer) {
  while (auto transaction = normalizer.take()) {
    if (resume_.parts_to_skip > 0) {  // handed over before the cut
      --resume_.parts_to_skip;
      note_delivered(*transaction);
      normalizer.recycle(std::move(transaction));
      continue;
    }
    Item item;
    item.bytes = transaction->memory_bytes();
    item.transaction = std::move(transaction);
    // Noted before the push: afterwards the writer owns it. A push that fails is either repeated
    // (stalled_) or undone by starting from the durable position.
    note_delivered(*item.transaction);
    if (auto outcome = push(item)) {
      if (*outcome == Outcome::Stalled) stalled_ = std::move(item);
      return outcome;
    }
    if (auto used = channel_.take_back()) normalizer.recycle(std::move(used));
  }
  return std::nullopt;
}

void Capture::forget_delivered() {
  new_schemas_.clear();
  partial_images_.clear();
}

void Capture::note_delivered(const normalize::Transaction& transaction) {
  for (const auto& schema : transaction.schemas) {
    if (schema.is_new) new_schemas_.push_back(schema);
  }
  for (const auto& gap : transaction.gaps) {
    if (gap.kind == normalize::GapKind::PartialImage) {
      partial_images_.emplace_back(gap.database, gap.table);
    }
  }
  if (!transaction.last_part) {
    ++parts_seen_;
    return;
  }
  parts_seen_ = 0;
  for (const auto& added : new_schemas_) {
    resume_.schemas[{added.schema->database, added.schema->table}] = {
        added.schema->database, added.schema->table, added.schema->layout_hash, added.version};
  }
  for (const auto& table : partial_images_) {
    const auto known = resume_.schemas.find(table);
    if (known != resume_.schemas.end()) known->second.partial_image_told = true;
  }
  forget_delivered();
  if (transaction.xa == normalize::XaPhase::Prepared) {
    resume_.xa_tables[transaction.xid] = transaction.xa_tables;
  } else if (!transaction.xid.empty()) {
    resume_.xa_tables.erase(transaction.xid);
  }
  if (resume_.position.file != transaction.file) resume_.position.file = transaction.file;
  resume_.position.pos = transaction.end_pos;
  resume_.event_time_us = transaction.event_time_us;
  // An anonymous transaction is in no set: from here on only file and position say where we are.
  if (transaction.gtid.empty()) resume_.gtids.reset();
  if (resume_.gtids) resume_.gtids->add(transaction.gtid);
}

std::optional<Capture::Outcome> Capture::push(Item& item) {
  auto pops = channel_.pops();
  auto quiet_since = std::chrono::steady_clock::now();
  for (;;) {
    switch (channel_.push(item, epoch_, kPushSlice)) {
      case Channel::Push::Accepted:
        return std::nullopt;
      case Channel::Push::Reset:
        return Outcome::Reset;
      case Channel::Push::Closed:
        return Outcome::Ended;
      case Channel::Push::TimedOut:
        break;
    }
    if (state_.stopping()) return Outcome::Ended;
    const auto now = std::chrono::steady_clock::now();
    if (const auto current = channel_.pops(); current != pops) {
      pops = current;
      quiet_since = now;
    }
    if (now - quiet_since >= std::chrono::seconds{config_.limits.stall_s} && source_) {
      state_.set_phase(Phase::Stalled,
                       fmt::format("the store has accepted nothing for {} s; disconnected from the "
                                   "source until it does (the binlog is the spool)",
                                   config_.limits.stall_s));
      core::log(core::Level::Warn, state_.snapshot().detail);
      return Outcome::Stalled;
    }
  }
}

bool Capture::reached_end(const std::string& file, std::uint64_t pos) const {
  return end_ && compare_positions(file, pos, end_->file, end_->pos) >= 0;
}

}  // namespace rowtrail::pipeline
