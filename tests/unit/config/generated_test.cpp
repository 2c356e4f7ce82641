#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "config/option.h"
#include "core/error.h"
#include "unit/config/loading.h"
#include "unit/config/schema_check.h"

namespace tidemark::config::test {
namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A value at the end of a path, a line for each part.
std::string nested(std::string_view path, std::string_view value, const std::string& indent = "") {
  const std::size_t dot = path.find('.');
  std::string key(path.substr(0, dot));
  if (key == "*") key = "supplier_name";
  if (dot == std::string_view::npos) return indent + key + ": " + std::string(value) + "\n";
  return indent + key + ":\n" + nested(path.substr(dot + 1), value, indent + "  ");
}

}  // namespace

TEST_CASE("the sample and the reference in the tree are what the option table gives",
          "[unit][config]") {
  const std::string root = TIDEMARK_SOURCE_DIR;
  CHECK(content(root + "/etc/tidemark.yaml") == sample_yaml());
  CHECK(content(root + "/docs/config.md") == reference_markdown());
}

TEST_CASE("generating writes only what changed", "[unit][config]") {
  const tidemark::test::TempDir directory;
  std::filesystem::create_directories(directory.path() / "docs");
  std::filesystem::create_directories(directory.path() / "etc");
  CHECK(write_generated(directory.path().string()) == 2);
  CHECK(write_generated(directory.path().string()) == 0);
  std::ofstream(directory / "etc/tidemark.yaml") << "edited";
  CHECK(write_generated(directory.path().string()) == 1);
  CHECK(content(directory / "etc/tidemark.yaml") == sample_yaml());
  CHECK_THROWS_AS(write_generated(directory / "missing"), Error);
}

TEST_CASE("the sample is right as it stands and shows every key", "[unit][config]") {
  const Loader loader;
  CHECK(loader.report(sample_yaml()) == "");
  std::set<std::string> shown;
  std::istringstream lines(sample_yaml());
  for (std::string line; std::getline(lines, line);) {
    std::size_t start = line.find_first_not_of(' ');
    if (start != std::string::npos && line[start] == '#') ++start;
    const std::size_t colon = line.find(':');
    if (start < colon && colon != std::string::npos && line[start] != ' ')
      shown.insert(line.substr(start, colon - start));
  }
  for (const Option& option : option_table()) {
    const std::string_view key = option.path.substr(option.path.rfind('.') + 1);
    CAPTURE(option.path);
    if (key != "*" && !option.later) CHECK(shown.contains(std::string(key)));
  }
}

TEST_CASE("every key of the table is explained, and what is not yet available has no place",
          "[unit][config]") {
  const std::string text = reference_markdown();
  for (const Option& option : option_table()) {
    CAPTURE(option.path);
    CHECK((option.later || option.doc.ends_with('.')));
    CHECK((option.later || option.kind == Kind::section || option.kind == Kind::named ||
           !option.example.empty() || !option.fallback.empty()));
  }
  CHECK(text.find("`jobs.NAME.deletes`") != std::string::npos);
}

TEST_CASE("every example and every default of the table is a right value", "[unit][config]") {
  const Loader loader;
  const LoadOptions options = options_with();
  for (const Option& option : option_table()) {
    if (option.later || option.kind == Kind::section || option.kind == Kind::named) continue;
    for (const std::string_view value : {option.example, option.fallback}) {
      if (value.empty()) continue;
      CAPTURE(option.path, value);
      std::string text = "version: 1\n";
      if (option.path.starts_with("jobs.*."))
        text += nested("defaults." + std::string(option.path.substr(7)), value);
      else if (option.path != "version")
        text += nested(option.path, value);
      LoadOptions relaxed = options;
      relaxed.resolve_secrets = false;
      // Other keys may be missing; this one must not be what is wrong.
      for (const Problem& problem : loader.load(text, relaxed).errors) {
        CAPTURE(to_string(problem));
        CHECK((problem.message.find("required") != std::string::npos ||
               problem.message.find("needs") != std::string::npos ||
               problem.message.find("where is the server") != std::string::npos ||
               problem.message.find("no effect without") != std::string::npos ||
               problem.message.find("is named") != std::string::npos));
      }
    }
  }
}

TEST_CASE("the JSON Schema knows exactly the keys of the table", "[unit][config]") {
  const auto schema = nlohmann::json::parse(schema_json());
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["required"] == nlohmann::json::array({"version"}));
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["properties"]["defaults"]["$ref"] == "#/$defs/job");
  const auto& daemon = schema["properties"]["daemon"]["properties"];
  CHECK(daemon["workers"]["anyOf"][0]["maximum"] == 1024);
  CHECK(daemon["memory"]["default"] == "64MiB");
  CHECK(schema["$defs"]["env"]["required"] == nlohmann::json::array({"env"}));
  const auto& job = schema["$defs"]["job"]["properties"];
  for (const OptionNode& node : option_tree().child("jobs")->children.front().children) {
    CAPTURE(node.name);
    CHECK(job.contains(node.name) == !node.option->later);
    if (job.contains(node.name)) CHECK(job[node.name].contains("description"));
  }
}

TEST_CASE("the schema takes the sample and what explain prints", "[unit][config]") {
  const auto schema = nlohmann::json::parse(schema_json());
  CHECK(schema_violation(schema, json_of_yaml(sample_yaml())) == "");
  const Loader loader;
  const LoadResult result = loader.load(file_with_job(
      {.extra = "retry: {max: 1m, jitter: 0.25, probe_halted: never}\nkey: {id: FID}\n"
                "columns: {name: {trim: both, default: 7, unmapped: null, map: {a: b}}}\n"
                "freshness: 5m\nlabels: {team: wms}\nhooks: {after: SELECT 1}\n",
       .top = "daemon: {listen: none, api_token: {env: TOKEN, default: abc}}\n"}));
  REQUIRE(joined(result.errors, "") == "");
  CHECK(schema_violation(schema, json_of_yaml(explain(result.effective))) == "");
  CHECK(schema_violation(schema,
                         nlohmann::json::parse(explain(result.effective, {.json = true}))) == "");
}

TEST_CASE("the schema refuses what the reader would refuse in a single key", "[unit][config]") {
  const auto schema = nlohmann::json::parse(schema_json());
  const auto violation = [&](const std::string& text) {
    return schema_violation(schema, json_of_yaml(text));
  };
  CHECK(violation("daemon: {}") == ": required");
  CHECK(violation("version: 2") == "/version: anyOf");
  CHECK(violation("version: 1\nworkers: 8") == "/workers: not known");
  CHECK(violation("version: 1\ndaemon: {workers: 0}") == "/daemon/workers: anyOf");
  CHECK(violation("version: 1\ndaemon: {memory: 64MB}") == "/daemon/memory: anyOf");
  CHECK(violation("version: 1\ndaemon: {instance: {file: /x}}") == "/daemon/instance: anyOf");
  CHECK(violation("version: 1\ndaemon: {api_token: {file: /x}}") == "");
  CHECK(violation("version: 1\njobs: {A: {}}") == "/jobs/A: pattern");
  CHECK(violation("version: 1\njobs: {a: {mode: cdc}}") == "/jobs/a/mode: anyOf");
  CHECK(violation("version: 1\njobs: {a: {deletes: {}}}") == "/jobs/a/deletes: not known");
  CHECK(violation("version: 1\ndefaults: {retry: {max: 5}}") == "/defaults/retry/max: anyOf");
  CHECK(violation("version: 1\njobs: {a: {cursor: {assume: [x]}}}") ==
        "/jobs/a/cursor/assume: anyOf");
}

TEST_CASE("no path stands twice in the table, and each has a parent", "[unit][config]") {
  std::set<std::string_view> paths;
  for (const Option& option : option_table()) {
    CAPTURE(option.path);
    CHECK(paths.insert(option.path).second);
    const std::size_t dot = option.path.rfind('.');
    if (dot != std::string_view::npos) CHECK(paths.contains(option.path.substr(0, dot)));
  }
}

}  // namespace tidemark::config::test
