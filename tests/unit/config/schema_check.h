#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tidemark::config::test {

/// The first place where a document breaks a JSON Schema, "" if none: the keywords that our schema
/// uses, and an exception for any other, so that a new one can't go unchecked.
std::string schema_violation(const nlohmann::json& schema, const nlohmann::json& document);

/// YAML as JSON, scalars typed as an editor's reader would.
nlohmann::json json_of_yaml(const std::string& text);

}  // namespace tidemark::config::test
