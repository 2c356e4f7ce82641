#include "unit/config/schema_check.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <regex>
#include <set>
#include <stdexcept>

#include "config/scalar.h"

namespace tidemark::config::test {
namespace {

using Json = nlohmann::json;

class SchemaCheck {
 public:
  explicit SchemaCheck(const Json& root) : root_(root) {}

  std::string check(const Json& schema, const Json& value, const std::string& at) const {
    refuse_unknown_keywords(schema);
    if (schema.contains("$ref")) return check(target(schema["$ref"]), value, at);
    if (schema.contains("type") && !has_type(schema["type"], value)) return at + ": type";
    if (schema.contains("enum") && !has(schema["enum"], value)) return at + ": enum";
    if (schema.contains("anyOf")) {
      const auto fits = [&](const Json& one) { return check(one, value, at).empty(); };
      if (std::none_of(schema["anyOf"].begin(), schema["anyOf"].end(), fits)) return at + ": anyOf";
    }
    if (value.is_string()) return check_text(schema, value.get<std::string>(), at);
    if (value.is_number()) return check_number(schema, value.get<double>(), at);
    if (value.is_object()) return check_object(schema, value, at);
    return value.is_array() ? check_array(schema, value, at) : "";
  }

 private:
  static void refuse_unknown_keywords(const Json& schema) {
    static const std::set<std::string> known{"$schema",
                                             "$defs",
                                             "$ref",
                                             "title",
                                             "description",
                                             "default",
                                             "type",
                                             "properties",
                                             "required",
                                             "anyOf",
                                             "additionalProperties",
                                             "items",
                                             "enum",
                                             "pattern",
                                             "minLength",
                                             "maximum",
                                             "minimum",
                                             "propertyNames"};
    for (const auto& [keyword, rest] : schema.items())
      if (!known.contains(keyword)) throw std::logic_error("unknown keyword " + keyword);
  }

  const Json& target(const std::string& reference) const {
    return root_.at(Json::json_pointer(reference.substr(1)));
  }
  static bool has(const Json& list, const Json& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }
  static bool has_type(const Json& types, const Json& value) {
    if (types.is_array())
      return std::any_of(types.begin(), types.end(),
                         [&](const Json& type) { return has_type(type, value); });
    if (types == "integer") return value.is_number_integer();
    return types == value.type_name();
  }
  static std::string check_text(const Json& schema, const std::string& text,
                                const std::string& at) {
    if (schema.contains("minLength") && text.size() < schema["minLength"].get<std::size_t>())
      return at + ": minLength";
    if (schema.contains("pattern") &&
        !std::regex_search(text, std::regex(schema["pattern"].get<std::string>())))
      return at + ": pattern";
    return "";
  }
  static std::string check_number(const Json& schema, double number, const std::string& at) {
    if (schema.contains("minimum") && number < schema["minimum"].get<double>())
      return at + ": minimum";
    if (schema.contains("maximum") && number > schema["maximum"].get<double>())
      return at + ": maximum";
    return "";
  }
  std::string check_array(const Json& schema, const Json& list, const std::string& at) const {
    if (!schema.contains("items")) return "";
    for (std::size_t index = 0; index < list.size(); ++index) {
      const std::string wrong =
          check(schema["items"], list[index], at + "/" + std::to_string(index));
      if (!wrong.empty()) return wrong;
    }
    return "";
  }
  std::string check_object(const Json& schema, const Json& object, const std::string& at) const {
    for (const Json& key : schema.value("required", Json::array()))
      if (!object.contains(key.get<std::string>())) return at + ": required";
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [key, value] : object.items()) {
      const std::string below = at + "/" + key;
      std::string wrong;
      if (schema.contains("propertyNames")) wrong = check(schema["propertyNames"], key, below);
      if (wrong.empty() && properties.contains(key)) {
        wrong = check(properties[key], value, below);
      } else if (wrong.empty() && schema.contains("additionalProperties")) {
        const Json& others = schema["additionalProperties"];
        wrong = others.is_object() ? check(others, value, below)
                                   : (others.get<bool>() ? "" : below + ": not known");
      }
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  const Json& root_;
};

Json json_of_node(const YAML::Node& node) {
  Json json;
  switch (node.Type()) {
    case YAML::NodeType::Map:
      json = Json::object();
      for (const auto& entry : node)
        json[entry.first.as<std::string>()] = json_of_node(entry.second);
      break;
    case YAML::NodeType::Sequence:
      json = Json::array();
      for (const auto& item : node)
        json.push_back(json_of_node(item));
      break;
    case YAML::NodeType::Scalar: {
      const std::string& text = node.Scalar();
      json = text;
      if (node.Tag() == "!") break;
      if (const auto number = parse_number(text)) json = *number;
      if (const auto number = parse_integer(text)) json = *number;
      if (const auto flag = parse_boolean(text)) json = *flag;
      break;
    }
    default:
      break;
  }
  return json;
}

}  // namespace

std::string schema_violation(const Json& schema, const Json& document) {
  return SchemaCheck(schema).check(schema, document, "");
}

Json json_of_yaml(const std::string& text) {
  return json_of_node(YAML::Load(text));
}

}  // namespace tidemark::config::test
