// `jobs.*.columns` and what else decides on columns and types.
#include "config/option.h"

namespace tidemark::config {

std::vector<Option> job_column_options() {
  return {
      {.path = "jobs.*.columns",
       .kind = Kind::named,
       .doc = "Overrides, by the column's name in the target. Every other column is kept as it "
              "is. Order of work: from, trim, map, default, timezone, type."},
      {.path = "jobs.*.columns.*", .kind = Kind::section, .doc = "One column of the target."},
      {.path = "jobs.*.columns.*.from",
       .kind = Kind::text,
       .fallback_note = "the column of the same name",
       .doc = "Source column that fills it: renames it.",
       .example = "supplier_number"},
      {.path = "jobs.*.columns.*.type",
       .kind = Kind::type,
       .fallback_note = "by the type map",
       .doc = "Logical type of the column in the target, such as varchar(32), decimal(12,2), "
              "bigint or timestamptz, or a type of a database by its name there, such as "
              "\"postgres:inet\" or \"sqlite:any\" (docs/types.md).",
       .example = "varchar(32)",
       .group = "type or native_type"},
      {.path = "jobs.*.columns.*.native_type",
       .kind = Kind::text,
       .doc = "The target's own spelling of the type, for CREATE TABLE, where no logical type "
              "says it.",
       .example = "citext",
       .group = "type or native_type"},
      {.path = "jobs.*.columns.*.trim",
       .kind = Kind::choice,
       .choices = {"both", "left", "right"},
       .doc = "Cuts blanks off a text.",
       .example = "both"},
      {.path = "jobs.*.columns.*.default",
       .kind = Kind::text,
       .doc = "Value for what `default_for` names.",
       .example = "\"\"",
       .may_be_empty = true},
      {.path = "jobs.*.columns.*.default_for",
       .kind = Kind::choice,
       .fallback = "null",
       .choices = {"null", "empty"},
       .doc = "What `default` stands in for: NULL, or the empty text."},
      {.path = "jobs.*.columns.*.map",
       .kind = Kind::dictionary,
       .doc = "Source values and what they become.",
       .example = "{A01: a, B02: b}"},
      {.path = "jobs.*.columns.*.unmapped",
       .kind = Kind::choice,
       .fallback = "keep",
       .choices = {"keep", "null", "error"},
       .doc = "A value that `map` does not list is kept, becomes NULL, or is a data error."},
      {.path = "jobs.*.columns.*.source_timezone",
       .kind = Kind::text,
       .fallback_note = "the source connection's `timezone`",
       .doc = "Zone of this column's times where it differs from the rest of its database.",
       .example = "Europe/Berlin"},
      {.path = "jobs.*.columns.*.lossy",
       .kind = Kind::choice,
       .fallback = "error",
       .choices = {"error", "allow"},
       .doc = "`allow` lets a type that can't hold every value be used; a value that does not "
              "fit is still a data error, never cut."},
      {.path = "jobs.*.columns.*.charset", .later = true},
      {.path = "jobs.*.columns.*.replace", .later = true},
      {.path = "jobs.*.columns.*.mask", .later = true},
      {.path = "jobs.*.columns.*.expr", .later = true},
      {.path = "jobs.*.types",
       .kind = Kind::type_dictionary,
       .fallback_note = "the type map",
       .doc = "Logical types for source types, for all columns of a job. The names are the "
              "connection's type, a colon, and the type as the database writes it, with or "
              "without what stands in parentheses there.",
       .example = "{\"mysql:tinyint(1)\": bool, \"mysql:datetime\": timestamptz}"},
      {.path = "jobs.*.include",
       .kind = Kind::list,
       .fallback_note = "all columns",
       .doc = "Only these source columns; globs are allowed.",
       .example = "[id, name, \"*_at\"]"},
      {.path = "jobs.*.exclude",
       .kind = Kind::list,
       .fallback = "[]",
       .doc = "Not these source columns; globs are allowed.",
       .example = "[internal_note]"},
  };
}

}  // namespace tidemark::config
