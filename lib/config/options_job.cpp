// `defaults` and `jobs`: what is copied from where to where.
#include "config/option.h"

namespace tidemark::config {

std::vector<Option> job_options() {
  return {
      {.path = "defaults",
       .kind = Kind::section,
       .doc = "Any key of a job, for all jobs. Maps merge key by key, lists and `key` are "
              "replaced, and `null` in a job resets a key to the default of this page. Of keys "
              "that exclude each other (table and query; every, cron, after and manual) a job's "
              "own displaces the inherited one.",
       .example = "{retry: {max: 10m}}"},
      {.path = "jobs",
       .kind = Kind::named,
       .doc = "The jobs, by name: [a-z0-9][a-z0-9_.-]{0,63}. The name is a metric label and the "
              "key of the checkpoint, so a renamed job starts afresh.",
       .active = true},
      {.path = "jobs.*",
       .kind = Kind::section,
       .doc = "One table or query kept in step with one table.",
       .active = true},
      {.path = "jobs.*.source",
       .kind = Kind::section,
       .doc = "What is read: a connection with `table` or `query`.",
       .active = true},
      {.path = "jobs.*.source.connection",
       .kind = Kind::text,
       .doc = "Name of the connection to read from.",
       .example = "shop",
       .required = true,
       .active = true},
      {.path = "jobs.*.source.table",
       .kind = Kind::text,
       .doc = "Table or view to read, as `name` or `schema.name`. A part that itself holds a dot "
              "or a double quote stands in double quotes, whatever the database: "
              "'public.\"odd.name\"'. Names are taken as written, upper and lower case too.",
       .example = "customers",
       .active = true,
       .group = "table or query"},
      {.path = "jobs.*.source.query",
       .kind = Kind::text,
       .doc = "A SELECT in place of a table. `{{cursor}}` in it becomes the range of the run; "
              "without it the query is wrapped as a subquery. Order and limit are added by the "
              "program, so that an ORDER BY or LIMIT at the top is refused. `key` must be given.",
       .example = "SELECT id, name, changed_at FROM customers WHERE {{cursor}}",
       .group = "table or query"},
      {.path = "jobs.*.source.where",
       .kind = Kind::text,
       .doc = "SQL predicate on `table`. A row that leaves it stays in the target.",
       .example = "state = 'C'"},
      {.path = "jobs.*.source.acknowledge", .later = true},
      {.path = "jobs.*.source.tables", .later = true},
      {.path = "jobs.*.target",
       .kind = Kind::section,
       .doc = "What is written, and how.",
       .active = true},
      {.path = "jobs.*.target.connection",
       .kind = Kind::text,
       .doc = "Name of the connection to write to.",
       .example = "warehouse",
       .required = true,
       .active = true},
      {.path = "jobs.*.target.table",
       .kind = Kind::text,
       .doc = "Table to write, as `name` or `schema.name`, quoted as in `source.table`. Two jobs "
              "may write one table only with disjoint `scope`s.",
       .example = "customers",
       .required = true,
       .active = true},
      {.path = "jobs.*.target.write",
       .kind = Kind::choice,
       .fallback_note = "incremental: upsert; full: replace",
       .choices = {"upsert", "append", "replace"},
       .doc = "`upsert`: insert or update by the key. `append`: insert only. `replace`: after the "
              "run the table holds what was read and nothing else; for `full` only.",
       .example = "upsert"},
      {.path = "jobs.*.target.create",
       .kind = Kind::choice,
       .fallback = "auto",
       .choices = {"auto", "never"},
       .doc = "`auto`: make the table when it is missing, with its key and lossless types."},
      {.path = "jobs.*.target.schema_changes",
       .kind = Kind::choice,
       .fallback = "report",
       .choices = {"report", "fail", "add", "evolve"},
       .doc = "When the source has columns that the target lacks. `report`: go on with the known "
              "ones, the job is degraded. `fail`: halt. `add`: new nullable columns, then a "
              "backfill of them. `evolve`: that, and lossless widening. Nothing is ever dropped "
              "or narrowed."},
      {.path = "jobs.*.target.scope",
       .kind = Kind::dictionary,
       .fallback_note = "the whole table",
       .doc = "Columns and their constants: the rows of the target that this job owns. It bounds "
              "what `replace` may delete, and lets several jobs share a table.",
       .example = "{region: north}"},
      {.path = "jobs.*.target.replace",
       .kind = Kind::choice,
       .fallback = "transaction",
       .choices = {"transaction", "swap"},
       .doc = "How `write: replace` changes the table. `transaction`: delete, update and insert "
              "the difference in one transaction. `swap`: a new table takes the name; only for "
              "tables that tidemark made, without dependents, where DDL is transactional."},
      {.path = "jobs.*.mode",
       .kind = Kind::choice,
       .choices = {"full", "incremental"},
       .later_choices = {"mirror", "cdc"},
       .doc = "`full` reads everything each run; `incremental` what changed since the last one, "
              "by the cursor.",
       .example = "incremental",
       .required = true,
       .active = true},
      {.path = "jobs.*.key",
       .kind = Kind::list_or_dictionary,
       .fallback_note = "the table's primary key",
       .doc = "What makes a row one row: a list of output columns, or a map from output column to "
              "what it is in the source (a column of a table, an expression of a query). Queries "
              "need it, except for `full` with replace or append and `incremental` with append.",
       .example = "[id]"},
      {.path = "jobs.*.cursor",
       .kind = Kind::section,
       .doc = "By what an incremental job sees that a row changed.",
       .optional = true,
       .active = true},
      {.path = "jobs.*.cursor.column",
       .kind = Kind::text,
       .doc = "Output column that grows with every change: a time of the last change, or a "
              "number. Required for `incremental`.",
       .example = "updated_at",
       .required = true,
       .active = true},
      {.path = "jobs.*.cursor.source",
       .kind = Kind::text,
       .fallback_note = "the source of the column",
       .doc = "What the cursor is in the source, for `{{cursor}}`: an expression of the query.",
       .example = "a.FMODIFYDATE"},
      {.path = "jobs.*.cursor.safety",
       .kind = Kind::choice,
       .fallback = "exact",
       .choices = {"exact", "lookback"},
       .doc = "`exact` refuses a cursor of which the source can't show that nothing will still "
              "commit behind the mark. `lookback` reads some way behind the mark again and hopes "
              "that it is enough; the job is labelled so everywhere."},
      {.path = "jobs.*.cursor.lookback",
       .kind = Kind::duration_or_count,
       .fallback_note = "exact: 0s; lookback: 15m",
       .lowest = "0s",
       .highest = "365d",
       .doc = "How far behind the mark is read again: a duration, or a number for number cursors. "
              "With `safety: exact` an extra margin. With `safety: lookback` it must not be 0; "
              "make it longer than the longest transaction of the source.",
       .example = "15m"},
      {.path = "jobs.*.cursor.assume",
       .kind = Kind::list,
       .fallback = "[]",
       .choices = {"server_assigned", "single_timezone", "every_write_moves_it"},
       .doc = "What you vouch for where the catalogue can't show it: the server sets the cursor, "
              "its writers share one time zone, every write moves it. Shown as `exact (assumed: "
              "…)` and watched by the audit.",
       .example = "[server_assigned]"},
      {.path = "jobs.*.cursor.nulls",
       .kind = Kind::choice,
       .fallback = "error",
       .choices = {"error", "ignore", "scan"},
       .doc = "Rows without a cursor value. `scan` reads all of them each run."},
      {.path = "jobs.*.cursor.start",
       .kind = Kind::text,
       .fallback_note = "all rows",
       .doc = "First value to take; rows below it are never read.",
       .example = "\"2024-01-01 00:00:00\""},
      {.path = "jobs.*.cursor.audit",
       .kind = Kind::duration,
       .fallback = "15m",
       .lowest = "1s",
       .highest = "30d",
       .choices = {"none"},
       .doc = "How far behind the settled mark rows are looked at again, every 10 minutes, to "
              "catch what breaks an assumption. `none` does not look."},
      {.path = "jobs.*.initial",
       .kind = Kind::choice,
       .fallback = "load",
       .choices = {"load", "skip"},
       .later_choices = {"adopt"},
       .doc = "The first run of an incremental job: `load` copies what is there, `skip` starts at "
              "now."},
  };
}

}  // namespace tidemark::config
