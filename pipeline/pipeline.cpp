#include "pipeline/pipeline.h"

#include <thread>
#include <utility>

#include "pipeline/capture.h"
#include "pipeline/channel.h"
#include "pipeline/sinks.h"
#include "pipeline/state.h"
#include "pipeline/writer.h"

namespace rowtrail::pipeline {

struct Pipeline::Impl {
  Impl(Config config_in, infer::LoadedRules rules_in, Announce announce)
      : config(std::move(config_in)),
        channel(config.limits.queue_bytes_max),
        capture(config, channel, state),
        sinks(config),
        writer(
            config, std::move(rules_in), std::move(announce), channel, state,
            [this] { capture.interrupt(); },
            [this](const std::string& note) { sinks.offer(note); }) {}

  Config config;
  SharedState state;
  Channel channel;
  Capture capture;
  HeadSinks sinks;
  WriterLoop writer;
};

Pipeline::Pipeline(Config config, infer::LoadedRules rules, Announce announce)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(rules), std::move(announce))) {}

Pipeline::~Pipeline() = default;

void Pipeline::run() {
  {
    const std::jthread reading([this] { impl_->capture.run(); });
    impl_->writer.run();
    // The writer returns early only when it failed: then capture has to stop too.
    if (impl_->state.failure()) stop();
  }
  if (auto failure = impl_->state.failure()) std::rethrow_exception(failure);
}

void Pipeline::stop() noexcept {
  impl_->state.request_stop();
  impl_->capture.interrupt();
}

void Pipeline::reload(infer::LoadedRules rules) {
  impl_->writer.reload(std::move(rules));
}

Snapshot Pipeline::snapshot() const {
  auto snapshot = impl_->state.snapshot();
  snapshot.queued_bytes = impl_->channel.bytes();
  snapshot.sinks = impl_->sinks.states();
  return snapshot;
}

}  // namespace rowtrail::pipeline
