// The option table as JSON Schema 2020-12.
#include <nlohmann/json.hpp>

#include "config/config.h"
#include "config/option.h"
#include "config/scalar.h"

namespace tidemark::config {
namespace {

using Json = nlohmann::ordered_json;

Json reference(std::string_view name) {
  return {{"$ref", "#/$defs/" + std::string(name)}};
}

Json pattern(std::string_view text) {
  return {{"type", "string"}, {"pattern", text}};
}

constexpr std::string_view duration_pattern = "^(0|[1-9][0-9]*)(ms|s|m|h|d)$";

Json words(const std::vector<std::string_view>& choices) {
  Json list = Json::array();
  for (const std::string_view word : choices) {
    list.push_back(word);
    if (word == "null") list.push_back(nullptr);
  }
  return {{"enum", list}};
}

/// A text may stand without quotes, and then an editor takes 123 for a number.
Json any_scalar() {
  return {{"type", Json::array({"string", "number", "boolean"})}};
}

Json bounded(const Option& option, Json schema) {
  if (const auto lowest = parse_number(option.lowest)) schema["minimum"] = *lowest;
  if (const auto highest = parse_number(option.highest)) schema["maximum"] = *highest;
  if (option.kind != Kind::integer) return schema;
  for (const char* key : {"minimum", "maximum"})
    if (schema.contains(key)) schema[key] = static_cast<std::int64_t>(schema[key].get<double>());
  return schema;
}

Json plain_value(const Option& option) {
  switch (option.kind) {
    case Kind::boolean:
      return {{"type", "boolean"}};
    case Kind::integer:
      return bounded(option, {{"type", "integer"}});
    case Kind::number:
      return bounded(option, {{"type", "number"}});
    case Kind::duration:
      return pattern(duration_pattern);
    case Kind::duration_or_count:
      return {{"anyOf", {pattern(duration_pattern), {{"type", "integer"}, {"minimum", 0}}}}};
    case Kind::size:
      return pattern("^(0|[1-9][0-9]*)(B|KiB|MiB|GiB|TiB)$");
    case Kind::rate:
      return pattern("^[1-9][0-9]*/s$");
    case Kind::choice:
      return words(option.choices);
    case Kind::text: {
      Json text = any_scalar();
      if (!option.may_be_empty) text["minLength"] = 1;
      return text;
    }
    default:
      return any_scalar();
  }
}

Json scalar(const Option& option) {
  Json choices = Json::array({plain_value(option)});
  if (!option.choices.empty() && option.kind != Kind::choice)
    choices.push_back(words(option.choices));
  choices.push_back(reference("env"));
  if (option.kind == Kind::secret) {
    choices.push_back(reference("file"));
    choices.push_back(reference("credential"));
  }
  if (option.path.starts_with("jobs.*.")) choices.push_back({{"type", "null"}});
  return {{"anyOf", choices}};
}

Json list_of_texts(const Option& option) {
  Json item = option.choices.empty() ? any_scalar() : words(option.choices);
  const Json element{{"anyOf", {std::move(item), reference("env")}}};
  return {{"anyOf", {{{"type", "array"}, {"items", element}}, element, {{"type", "null"}}}}};
}

Json dictionary() {
  Json entry = any_scalar();
  entry["type"].push_back("null");
  return {{"type", Json::array({"object", "null"})},
          {"additionalProperties", {{"anyOf", {std::move(entry), reference("env")}}}}};
}

std::string description(const Option& option) {
  std::string text(option.doc);
  if (!option.fallback_note.empty()) text += " Default: " + std::string(option.fallback_note) + ".";
  if (option.reload == Reload::restart) text += " A change needs a restart.";
  return text;
}

Json value_of(const OptionNode& node);

Json section(const OptionNode& node) {
  Json properties = Json::object();
  for (const OptionNode& child : node.children)
    if (!child.option->later)
      properties[child.name] = child.name == "defaults" ? reference("job") : value_of(child);
  Json schema{{"type", Json::array({"object", "null"})},
              {"properties", std::move(properties)},
              {"additionalProperties", false}};
  if (node.option->shorthand.empty()) return schema;
  const OptionNode* shorthand = node.child(node.option->shorthand);
  return {{"anyOf", {std::move(schema), value_of(*shorthand)}}};
}

Json shape_of(const OptionNode& node) {
  const Option& option = *node.option;
  switch (option.kind) {
    case Kind::section:
      return section(node);
    case Kind::named: {
      Json below = option.path == "jobs" ? reference("job") : value_of(node.children.front());
      Json schema{{"type", Json::array({"object", "null"})},
                  {"additionalProperties", std::move(below)}};
      if (option.path == "jobs" || option.path == "connections")
        schema["propertyNames"] = {{"pattern", "^[a-z0-9][a-z0-9_.-]{0,63}$"}};
      return schema;
    }
    case Kind::list:
      return list_of_texts(option);
    case Kind::dictionary:
    case Kind::type_dictionary:
      return dictionary();
    case Kind::list_or_dictionary:
      return {{"anyOf", {list_of_texts(option), dictionary()}}};
    default:
      return scalar(option);
  }
}

Json value_of(const OptionNode& node) {
  const Option& option = *node.option;
  Json schema{{"description", description(option)}};
  if (!option.fallback.empty() && is_scalar(option.kind)) {
    const Json fallback = Json::parse(option.fallback, nullptr, false);
    schema["default"] = fallback.is_discarded() ? Json(option.fallback) : fallback;
  }
  schema.update(shape_of(node));
  return schema;
}

Json by(std::string_view key, std::string_view what) {
  return {{"type", "object"},
          {"description", what},
          {"properties", {{std::string(key), {{"type", "string"}, {"minLength", 1}}}}},
          {"required", {std::string(key)}},
          {"additionalProperties", false}};
}

}  // namespace

std::string schema_json() {
  const OptionNode& root = option_tree();
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Configuration of Tidemark"}};
  Json top = section(root);
  top["type"] = "object";
  top["required"] = Json::array({"version"});
  schema.update(top);
  Json environment = by("env", "A value from the environment.");
  environment["properties"]["default"] = any_scalar();
  schema["$defs"] = {{"env", std::move(environment)},
                     {"file", by("file", "A secret from a file; one newline at its end is cut.")},
                     {"credential", by("credential", "A secret from systemd's credentials.")},
                     {"job", value_of(root.child("jobs")->children.front())}};
  return schema.dump(2) + "\n";
}

}  // namespace tidemark::config
