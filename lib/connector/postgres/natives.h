#pragma once

#include <string>
#include <string_view>

#include "core/type.h"

namespace tidemark::postgres {

// Types without a logical kind travel as the text that the server's own output function gives under
// the pinned session, and are read by the server's own input function. The name of such a type is
// what format_type() prints: "inet", "bit(8)", "time(3) with time zone", "app.mood[]".

/// "inet" for the origin "postgres:inet"; empty for every other type.
std::string_view own_name(const Type& type) noexcept;
/// "postgres:<name>" as kind native.
Type native_of(std::string_view name);
/// The type without its limits: "bit(8)" is "bit", "numeric(5,2)[]" is "numeric[]".
std::string without_limits(std::string_view name);

/// Why a table can't hold values of a type for what they were: the server takes none, or they name
/// objects of the database they come from. Such values are held as text. Empty for other types.
std::string_view held_as_text(std::string_view name) noexcept;

/// The name of the type here that holds values of another connector's native type with the same
/// text for every value ("mysql:bit(8)" is "bit(8)"); empty where there is none.
std::string own_name_of(const Type& foreign);

/// A SELECT's expression for a column, given its quoted name: the name itself for what comes in
/// binary form.
std::string read_expression(const Column& column, const std::string& quoted);
/// SQL: the text form of an expression of type `name`, NULL for NULL.
std::string to_text(std::string_view name, const std::string& expression);
/// SQL: the value of type `name` that a text expression stands for.
std::string from_text(std::string_view name, const std::string& expression);

}  // namespace tidemark::postgres
