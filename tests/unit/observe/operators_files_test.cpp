// The files that operators take over (rules, dashboard, runbooks) and the program must agree.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "core/error.h"
#include "observe/metric_table.h"
#include "support/process.h"

using namespace tidemark;
using namespace tidemark::observe;

namespace {

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(TIDEMARK_SOURCE_DIR) + "/" + name);
  INFO(name);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first group of every match.
std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> all;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match)
    all.push_back((*match)[1]);
  return all;
}

bool is_metric(const std::string& name) {
  const auto& table = metric_table();
  return std::any_of(table.begin(), table.end(), [&](const MetricDefinition& row) {
    if (row.name == name) return true;
    if (row.type != MetricType::histogram) return false;
    return name == std::string(row.name) + "_bucket" || name == std::string(row.name) + "_sum" ||
           name == std::string(row.name) + "_count";
  });
}

/// All words that begin like one of our metrics. By hand: std::regex takes seconds for it.
std::set<std::string> metric_names(const std::string& text) {
  const auto is_word = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
  };
  std::set<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = static_cast<std::size_t>(
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_word) -
        text.begin());
    const std::string word = text.substr(at, end - at);
    if (word.starts_with("tidemark_") || word.starts_with("process_")) names.insert(word);
    at = end + 1;
  }
  return names;
}

void check_metrics(const std::string& file) {
  const auto names = metric_names(read_file(file));
  INFO(file);
  CHECK_FALSE(names.empty());
  for (const std::string& name : names) {
    INFO(name);
    CHECK(is_metric(name));
  }
}

std::set<std::string> as_set(std::vector<std::string> names) {
  return {names.begin(), names.end()};
}

const std::string rules_file = "etc/prometheus/tidemark.rules.yml";
const std::string alert_pattern = "- alert: (\\w+)";

}  // namespace

TEST_CASE("every metric that rules, dashboard and runbooks name exists") {
  check_metrics(rules_file);
  check_metrics("etc/prometheus/tidemark.rules_test.yml");
  check_metrics("etc/grafana/tidemark.json");
  check_metrics("docs/runbooks.md");
}

TEST_CASE("the rules pass their tests") {
  const std::string folder = std::string(TIDEMARK_SOURCE_DIR) + "/etc/prometheus";
  CHECK_NOTHROW(
      test::run_command({"promtool", "check", "rules", "tidemark.rules.yml"}, {}, folder));
  const std::string said =
      test::run_command({"promtool", "test", "rules", "tidemark.rules_test.yml"}, {}, folder);
  CHECK(said.find("SUCCESS") != std::string::npos);
}

TEST_CASE("every rule has a severity, a summary, a test that fires and a runbook") {
  const std::string rules = read_file(rules_file);
  const std::string tests = read_file("etc/prometheus/tidemark.rules_test.yml");
  const std::string runbooks = read_file("docs/runbooks.md");
  const auto alerts = matches(rules, alert_pattern);
  REQUIRE(as_set(alerts).size() == alerts.size());
  CHECK(matches(rules, "severity: (critical|warning|info)\\}").size() == alerts.size());
  CHECK(matches(rules, "(summary: )").size() == alerts.size());
  const auto firing = as_set(matches(tests, "alertname: (\\w+)\n        exp_alerts:\n"));
  for (const std::string& alert : alerts) {
    INFO(alert);
    std::string anchor = alert;
    std::transform(anchor.begin(), anchor.end(), anchor.begin(), ::tolower);
    CHECK(firing.contains(alert));
    CHECK(rules.find("runbook_url: docs/runbooks.md#" + anchor + "\n") != std::string::npos);
    CHECK(runbooks.find("\n### " + alert + "\n") != std::string::npos);
  }
}

TEST_CASE("every kind of failure has a runbook, and there is none for what does not exist") {
  const std::string runbooks = read_file("docs/runbooks.md");
  std::set<std::string> wanted = as_set(matches(read_file(rules_file), alert_pattern));
  for (int kind = 0; kind <= static_cast<int>(FailureKind::internal); ++kind)
    wanted.insert(std::string(to_string(static_cast<FailureKind>(kind))));
  CHECK(as_set(matches(runbooks, "\n### (\\w+)")) == wanted);
  for (const std::string& link : matches(runbooks, "\\]\\(#(\\w+)\\)")) {
    INFO(link);
    CHECK(std::any_of(wanted.begin(), wanted.end(), [&](std::string heading) {
      std::transform(heading.begin(), heading.end(), heading.begin(), ::tolower);
      return heading == link;
    }));
  }
}

TEST_CASE("the dashboard can be imported as it is") {
  const auto dashboard = nlohmann::json::parse(read_file("etc/grafana/tidemark.json"));
  CHECK(dashboard["id"].is_null());
  CHECK(dashboard["uid"] == "tidemark");
  CHECK(dashboard["schemaVersion"] == 39);
  CHECK(dashboard["refresh"] == "30s");
  CHECK(dashboard["timezone"] == "browser");
  CHECK_FALSE(dashboard.contains("__inputs"));
  const auto& variables = dashboard["templating"]["list"];
  REQUIRE(variables.size() == 4);
  CHECK(variables[0]["type"] == "datasource");
  CHECK(variables[3]["name"] == "name");
  CHECK(variables[3]["allValue"] == ".*");

  std::set<int> ids;
  std::size_t queries = 0;
  for (const auto& panel : dashboard["panels"]) {
    INFO(panel["title"]);
    CHECK(ids.insert(panel["id"].get<int>()).second);
    CHECK(panel["gridPos"]["x"].get<int>() + panel["gridPos"]["w"].get<int>() <= 24);
    if (panel["type"] == "row") continue;
    CHECK(panel["datasource"]["uid"] == "${datasource}");
    for (const auto& target : panel["targets"]) {
      ++queries;
      CHECK(target["datasource"]["uid"] == "${datasource}");
      const std::string query = target["expr"];
      INFO(query);
      CHECK(query.find("instance=~\"$instance\"") != std::string::npos);
      const bool over_time = query.find("rate(") != std::string::npos;
      CHECK((!over_time || query.find("[$__rate_interval]") != std::string::npos));
    }
  }
  CHECK(queries > 40);
}
