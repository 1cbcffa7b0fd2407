#include "infer/rule_yaml.h"
#include "infer/suggestion.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <openssl/sha.h>

namespace rowtrail::infer {
namespace {

std::string version_of(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return fmt::format("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
}

struct DocumentText {
  std::string_view text;
  std::uint32_t first_line = 0;  // from 0
};

/// Cuts a file at its `---` lines, so that a rule's text is exactly what was written.
std::vector<DocumentText> split_documents(std::string_view text) {
  std::vector<DocumentText> documents;
  std::size_t begin = 0;
  std::uint32_t begin_line = 0;
  std::uint32_t line = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto row = text.substr(at, end - at);
    if (row == "---" || row.starts_with("--- ") || row == "---\r") {
      documents.push_back({text.substr(begin, at - begin), begin_line});
      begin = std::min(end + 1, text.size());
      begin_line = line + 1;
    }
    ++line;
    at = end + 1;
  }
  documents.push_back({text.substr(begin), begin_line});
  return documents;
}

void load_document(const DocumentText& part, const std::string& file, CompiledRules& rules,
                   std::vector<Diagnostic>& errors) {
  const RuleDocument document(file, part.first_line, errors);
  YAML::Node root;
  try {
    root = YAML::Load(std::string(part.text));
  } catch (const YAML::Exception& error) {
    document.error(error.mark, error.msg);
    return;
  }
  if (!root || root.IsNull()) return;  // only comments
  Rule rule;
  rule.info.file = file;
  try {
    if (!load_rule(document, root, part.text, rules.slots, rule)) return;
  } catch (const YAML::Exception& error) {
    document.error(error.mark, error.msg);
    return;
  }
  rule.info.text = std::string(part.text);
  rule.info.version = version_of(part.text);
  rule.info.tests = rule.tests.size();
  const auto same = std::find_if(rules.rules.begin(), rules.rules.end(),
                                 [&](const Rule& other) { return other.info.id == rule.info.id; });
  if (same != rules.rules.end()) {
    document.error(root.Mark(), fmt::format("rule '{}' is already defined in {}", rule.info.id,
                                            same->info.file));
    return;
  }
  if (rules.rules.size() >= kRulesMax) {
    document.error(root.Mark(), fmt::format("more than {} rules", kRulesMax));
    return;
  }
  rules.rules.push_back(std::move(rule));
}

void load_text(std::string_view text, const std::string& file, CompiledRules& rules,
               std::vector<Diagnostic>& errors) {
  if (text.size() > kRuleFileBytesMax) {
    errors.push_back({file, 0, 0, fmt::format("larger than {} bytes", kRuleFileBytesMax)});
    return;
  }
  for (const auto& part : split_documents(text)) load_document(part, file, rules, errors);
}

void load_file(const std::filesystem::path& path, CompiledRules& rules,
               std::vector<Diagnostic>& errors) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    errors.push_back({path.string(), 0, 0, "cannot be read"});
    return;
  }
  std::ostringstream text;
  text << in.rdbuf();
  load_text(text.str(), path.string(), rules, errors);
}

LoadedRules finish(std::shared_ptr<CompiledRules> rules, std::vector<Diagnostic> errors) {
  LoadedRules loaded;
  loaded.errors = std::move(errors);
  for (const auto& rule : rules->rules) loaded.infos.push_back(rule.info);
  if (loaded.errors.empty()) loaded.rules = std::move(rules);
  return loaded;
}

}  // namespace

std::string Diagnostic::text() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

void RuleDocument::error(const YAML::Mark& mark, std::string message) const {
  Diagnostic diagnostic{file_, 0, 0, std::move(message)};
  if (mark.line >= 0) {
    diagnostic.line = first_line_ + static_cast<std::uint32_t>(mark.line) + 1;
    diagnostic.column = static_cast<std::uint32_t>(mark.column) + 1;
  }
  errors_.push_back(std::move(diagnostic));
}

void RuleDocument::error_in(const YAML::Node& scalar, std::uint32_t offset,
                            std::string message) const {
  auto mark = scalar.Mark();
  // A quoted scalar's text begins one column later. Text over several lines keeps its first line.
  const bool quoted = scalar.Tag() == "!";
  if (scalar.Scalar().find('\n') == std::string::npos) {
    mark.column += static_cast<int>(offset) + (quoted ? 1 : 0);
  }
  error(mark, std::move(message));
}

std::string RuleDocument::text(const YAML::Node& node, std::string_view what) const {
  if (node && node.IsScalar()) return node.Scalar();
  error(node ? node.Mark() : YAML::Mark::null_mark(), fmt::format("{} must be a text", what));
  return {};
}

void RuleDocument::check_members(const YAML::Node& map,
                                 std::span<const std::string_view> known) const {
  for (const auto& pair : map) {
    const auto name = pair.first.IsScalar() ? pair.first.Scalar() : std::string();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    error(pair.first.Mark(), fmt::format("unknown member '{}'{}", name, did_you_mean(name, known)));
  }
}

std::uint32_t RuleDocument::line_of(const YAML::Node& node) const {
  return first_line_ + static_cast<std::uint32_t>(std::max(node.Mark().line, 0)) + 1;
}

LoadedRules load_rules_text(std::string_view text, const std::string& file) {
  auto rules = std::make_shared<CompiledRules>();
  std::vector<Diagnostic> errors;
  load_text(text, file, *rules, errors);
  return finish(std::move(rules), std::move(errors));
}

LoadedRules load_rules(const std::vector<std::string>& paths) {
  auto rules = std::make_shared<CompiledRules>();
  std::vector<Diagnostic> errors;
  for (const auto& path : paths) {
    std::error_code code;
    if (!std::filesystem::is_directory(path, code)) {
      load_file(path, *rules, errors);
      continue;
    }
    std::set<std::filesystem::path> files;  // in order of their names
    for (const auto& entry : std::filesystem::directory_iterator(path, code)) {
      const auto extension = entry.path().extension();
      if (extension == ".yaml" || extension == ".yml") files.insert(entry.path());
    }
    for (const auto& file : files) load_file(file, *rules, errors);
  }
  return finish(std::move(rules), std::move(errors));
}

}  // namespace rowtrail::infer
