// Files and folders → CompiledRules, with every error at once.
#include "infer/rule.h"
#include "infer/suggestion.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

namespace fs = std::filesystem;

bool is_rule_file(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

void find_files(const std::string& path, std::vector<std::string>& files,
                std::vector<Diagnostic>& errors) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    files.push_back(path);
    return;
  }
  std::vector<std::string> found;
  fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_regular_file() && is_rule_file(it->path())) found.push_back(it->path().string());
  }
  if (error) errors.push_back({path, 0, 0, "cannot be read: " + error.message()});
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

bool read_file(const std::string& path, std::string& text, std::vector<Diagnostic>& errors) {
  std::ifstream stream(path, std::ios::binary);
  text.resize(kRuleFileBytesMax + 1);
  if (!stream.read(text.data(), static_cast<std::streamsize>(text.size())) && !stream.eof()) {
    errors.push_back({path, 0, 0, "cannot be read"});
    return false;
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return true;
}

void load_text(std::string_view text, const std::string& file, CompiledRules& rules,
               std::vector<Diagnostic>& errors) {
  if (text.size() > kRuleFileBytesMax) {
    errors.push_back({file, 0, 0, fmt::format("larger than {} bytes", kRuleFileBytesMax)});
    return;
  }
  for (const YamlDocument& document : split_documents(text)) {
    if (rules.rules.size() >= kRulesMax) {
      errors.push_back(
          {file, document.first_line, 1, fmt::format("more than {} rules", kRulesMax)});
      return;
    }
    if (auto rule = read_rule(document, file, rules.slots, errors))
      rules.rules.push_back(std::move(rule));
  }
}

void check_unique(const CompiledRules& rules, std::vector<Diagnostic>& errors) {
  std::map<std::string_view, const Rule*> seen;
  for (const auto& rule : rules.rules) {
    const auto [it, fresh] = seen.emplace(rule->id, rule.get());
    if (fresh) continue;
    errors.push_back({rule->file, rule->line, 1,
                      fmt::format("the id '{}' is also that of the rule at {}:{}", rule->id,
                                  it->second->file, it->second->line)});
  }
}

LoadedRules finish(std::shared_ptr<CompiledRules> rules, std::vector<Diagnostic> errors) {
  LoadedRules loaded;
  check_unique(*rules, errors);
  for (const auto& rule : rules->rules) {
    loaded.infos.push_back({rule->id, rule->title, rule->event, rule->version, rule->text,
                            rule->file, rule->tests.items.size()});
  }
  if (errors.empty()) loaded.rules = std::move(rules);
  loaded.errors = std::move(errors);
  return loaded;
}

}  // namespace

std::string Diagnostic::text() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

LoadedRules load_rules(const std::vector<std::string>& paths) {
  auto rules = std::make_shared<CompiledRules>();
  std::vector<Diagnostic> errors;
  std::vector<std::string> files;
  for (const std::string& path : paths) find_files(path, files, errors);
  for (const std::string& file : files) {
    std::string text;
    if (read_file(file, text, errors)) load_text(text, file, *rules, errors);
  }
  return finish(std::move(rules), std::move(errors));
}

LoadedRules load_rules_text(std::string_view text, const std::string& file) {
  auto rules = std::make_shared<CompiledRules>();
  std::vector<Diagnostic> errors;
  load_text(text, file, *rules, errors);
  return finish(std::move(rules), std::move(errors));
}

}  // namespace rowtrail::infer
