#pragma once

#include <nlohmann/json.hpp>

#include "daemon/console.h"

// How the API's status looks to a person.
namespace tidemark {

using Json = nlohmann::ordered_json;

void show_status(Console& console, const Json& status);
void show_job(Console& console, const Json& job);
void show_list(Console& console, const Json& status);
void show_why(Console& console, const Json& job);
void show_history(Console& console, const Json& history);

}  // namespace tidemark
