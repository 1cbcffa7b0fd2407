// A match → a BusinessEvent: objects, attributes and summary by the rule's `emit`.
#pragma once

#include "infer/matcher.h"

#include <functional>
#include <string>
#include <vector>

namespace rowtrail::infer {

class Emitter {
 public:
  /// Tells which rule failed to evaluate what.
  using NoteError = std::function<void(const Rule& rule, const std::string& message)>;

  Emitter(Evaluator& evaluator, NoteError note_error)
      : evaluator_(evaluator), note_error_(std::move(note_error)) {}

  /// Everything but the actor and the summary.
  BusinessEvent emit(const Match& match, const normalize::Transaction& transaction);
  /// Whom `emit.actor` names; empty: nobody, or the rule has none.
  std::string actor(const Match& match);
  /// Fills the summary of the event last emitted, whose actor is known by now.
  void summarize(const Match& match, BusinessEvent& event);

 private:
  Value value(const Match& match, const Expression& expression);
  void add_objects(const Match& match, const ObjectSpec& spec, BusinessEvent& event);
  void add_attributes(const Match& match, BusinessEvent& event);

  Evaluator& evaluator_;
  NoteError note_error_;
  binlog::Arena arena_;
  std::vector<std::string> attribute_texts_;
};

}  // namespace rowtrail::infer
