// What the tests of infer/ share: expressions evaluated from text, transactions written in YAML.
#pragma once

#include "infer/evaluator.h"
#include "infer/infer.h"
#include "infer/rule.h"
#include "infer/test_rows.h"

#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer::test {

/// The value as JSON with its kind in front ("int 3"), or "error: …" or "syntax <offset>: …".
std::string evaluate(std::string_view text);

/// `changes` of a rule's test, in YAML.
class Changes {
 public:
  explicit Changes(const std::string& yaml);
  [[nodiscard]] const normalize::Transaction& transaction() const { return rows_->transaction(); }
  [[nodiscard]] normalize::Transaction& editable() {
    return const_cast<normalize::Transaction&>(rows_->transaction());
  }

 private:
  std::string text_;
  std::unique_ptr<TestRows> rows_;
};

/// The events of the rules in `rules_yaml` ("" for none) over the rows.
std::vector<BusinessEvent> infer_events(const std::string& rules_yaml, const Changes& rows);
/// Payload of an event.
std::string payload(const BusinessEvent& event, const Changes& rows);
/// Every diagnostic of a rule file, a line each.
std::string errors_of(const std::string& rules_yaml);

}  // namespace rowtrail::infer::test
