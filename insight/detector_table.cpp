// The detectors, one row each.
#include <algorithm>
#include <array>

#include "insight/detectors.h"

namespace rowtrail::insight {
namespace {

using enum infer::Severity;

constexpr std::array kDetectors{
    DetectorInfo{"actor-rate", "Somebody does more than usual", "rates",
                 "more events of one type by one person in a day",
                 "negative binomial tail over the person's days, shrunk to the peers'", Medium, 0.8,
                 3.0},
    DetectorInfo{"actor-burst", "A burst by one person", "rates",
                 "more events of one type by one person within an hour",
                 "negative binomial tail over the person's hours, shrunk to the peers'", Medium,
                 0.8, 3.5},
    DetectorInfo{"object-rate", "An object is touched more than usual", "rates",
                 "more events of one type about one object in a day",
                 "negative binomial tail over the object's days", Low, 0.4, 4.0},
    DetectorInfo{"type-rate", "More of something than usual", "rates",
                 "more events of one type in a day", "negative binomial tail over days", Low, 0.8,
                 3.0},
    DetectorInfo{"silence", "Something has stopped", "rates",
                 "a day with none or few events of a type that comes daily",
                 "lower negative binomial tail over days", Medium, 0.8, 3.0},
    DetectorInfo{"drift", "Slowly more and more", "rates",
                 "a person's daily count of a type that stays above what it was",
                 "one-sided CUSUM of daily counts, half a standard deviation of slack", Medium, 0.4,
                 3.0},
    DetectorInfo{"new-type", "Never happened before", "novelty",
                 "a type of event or a shape of transaction for the first time in the log",
                 "share of first occurrences (Good-Turing)", Low, 1.6, 2.0},
    DetectorInfo{"new-actor", "A new name", "novelty", "the first event of a person",
                 "share of first occurrences (Good-Turing)", Low, 0.8, 2.0},
    DetectorInfo{"new-actor-type", "Somebody does something new", "novelty",
                 "a person's first event of a type",
                 "share of the person's first occurrences × share of people who do it", Medium, 0.8,
                 2.5},
    DetectorInfo{"new-actor-table", "Somebody writes to a new table", "novelty",
                 "a person's first change of a table",
                 "share of the person's first occurrences × share of people who write there",
                 Medium, 0.8, 2.5},
    DetectorInfo{"new-transition", "A status goes where it rarely goes", "novelty",
                 "a labelled column that changes from one value to another as hardly ever",
                 "share of the transition among those from the same value", Medium, 0.8, 2.5},
    DetectorInfo{"column-value", "An unusual value", "values",
                 "a number far from what its column usually holds",
                 "Student tail of the logarithm, in the column's standard deviations", Medium, 0.2,
                 4.0},
    DetectorInfo{"object-value", "An unusual value for this object", "values",
                 "a price, discount or quantity far from what it usually is for the same product",
                 "Student tail of the logarithm, in the object's standard deviations", Medium, 0.3,
                 4.0},
    DetectorInfo{"round-amount", "Many round amounts", "values",
                 "a person whose amounts of a day are round more often than usual",
                 "negative binomial tail of round amounts per person and day", Low, 0.4, 3.5},
    DetectorInfo{"below-limit", "Just below a limit", "values",
                 "a person with many amounts up to 5 % below 50, 100, 250, 500, 1000, 5000, 10000",
                 "negative binomial tail of such amounts per person and day", Medium, 0.4, 3.5},
    DetectorInfo{"off-hours", "At an unusual time", "behaviour",
                 "a person who acts at an hour or on a weekday unlike before",
                 "share of the hour among the person's, smoothed and shrunk to everybody's", Medium,
                 1.2, 2.5},
    DetectorInfo{"bulk", "Far more rows than usual", "behaviour",
                 "an update or delete that reaches many rows of a table at once",
                 "Student tail of the logarithm of the rows", High, 0.8, 4.0},
    DetectorInfo{"dormant-actor", "Back after a long time", "behaviour",
                 "a person who acts again after many days without",
                 "exponential tail of the days between, by the person's usual", Medium, 0.8, 3.0},
    DetectorInfo{"backdating", "A date far from now", "controls",
                 "a new row dated further back or ahead than such rows are",
                 "Student tail of the hours between the date and the commit", High, 0.8, 4.0},
    DetectorInfo{"same-hand", "One person where two are usual", "controls",
                 "the same person in two roles: created and approved, sold and refunded",
                 "share of the same person among such pairs", High, 0.8, 2.5},
    DetectorInfo{"own-follow-up", "Follows up on what they did themselves", "controls",
                 "a person who often takes the next step on objects they handled before",
                 "negative binomial tail of such steps per person and day", High, 0.8, 3.0},
    DetectorInfo{"rare-operation", "An operation this table hardly knows", "controls",
                 "deletes or updates where rows are only added: deleted lines, audit tables",
                 "share of the operation among the table's", High, 0.8, 2.5},
    DetectorInfo{"unbalanced", "Does not add up", "controls",
                 "quantities moved in one transaction that usually add up to nothing and do not",
                 "share of unbalanced transactions of the type", High, 0.8, 2.5},
    DetectorInfo{"unexplained-change", "Changed without its document", "controls",
                 "rows changed outside any business event that a rule names",
                 "share of such changes among the table's", Medium, 1.2, 1.5},
    DetectorInfo{"unusual-step", "An unusual step in an object's life", "process",
                 "a step that hardly ever follows the one before, or begins a life",
                 "share of the step among those that follow the same step", High, 0.8, 2.3},
    DetectorInfo{"too-fast", "Sooner than usual", "process",
                 "two steps of an object far closer than usual: granted and revoked within minutes",
                 "lower Student tail of the logarithm of the time between", Medium, 0.4, 4.0},
    DetectorInfo{"no-context", "Nobody's name on it", "integrity",
                 "a change without a person where the application always gives one",
                 "share of nameless transactions among the table's", High, 1.2, 1.5},
    DetectorInfo{"schema-change", "The tables themselves were changed", "integrity",
                 "DDL and TRUNCATE", "always, except what comes daily", High, 3, 0},
    DetectorInfo{"gap", "Something could not be recorded", "integrity", "a gap in the record",
                 "always, except what comes daily", High, 3, 0},
};
static_assert(kDetectors.size() == static_cast<std::size_t>(DetectorId::Count));

}  // namespace

std::span<const DetectorInfo> detectors() {
  return kDetectors;
}

const DetectorInfo& info(DetectorId id) {
  return kDetectors.at(static_cast<std::size_t>(id));
}

const DetectorInfo* find_detector(std::string_view id) {
  const auto* found = std::find_if(kDetectors.begin(), kDetectors.end(),
                                   [&](const DetectorInfo& known) { return known.id == id; });
  return found == kDetectors.end() ? nullptr : found;
}

}  // namespace rowtrail::insight
