// The top of the file and `daemon`.
#include "config/option.h"

namespace tidemark::config {

std::vector<Option> daemon_options() {
  return {
      {.path = "version",
       .kind = Kind::integer,
       .lowest = "1",
       .highest = "1",
       .doc = "The format of this file. Only 1 exists.",
       .example = "1",
       .required = true,
       .active = true},
      {.path = "daemon",
       .kind = Kind::section,
       .doc = "The process itself: where it listens, what it may use, what it logs."},
      {.path = "daemon.instance",
       .kind = Kind::text,
       .fallback = "default",
       .doc = "Part of the key of every checkpoint, so that two daemons with jobs of the same name "
              "never take each other's. Change it where two daemons write to one database.",
       .example = "prod-wms",
       .reload = Reload::restart},
      {.path = "daemon.listen",
       .kind = Kind::text,
       .fallback = "127.0.0.1:9465",
       .choices = {"none"},
       .doc = "Address and port of the metrics (/metrics), the health checks (/healthz, /readyz), "
              "the API (/api/v1) and the status page. An address that other machines reach needs "
              "`api_token`. `none` opens no port; the control socket stays.",
       .reload = Reload::restart},
      {.path = "daemon.socket",
       .kind = Kind::text,
       .fallback = "/run/tidemark/tidemark.sock",
       .doc = "The control socket that the commands of `tidemark` talk to, mode 0660: its group "
              "may pause, resume and reload.",
       .reload = Reload::restart},
      {.path = "daemon.api_token",
       .kind = Kind::secret,
       .doc = "Lets calls over `listen` change something, as a bearer token of at least 16 "
              "characters. Without it, `listen` only answers reads, and changes go through the "
              "socket.",
       .example = "{file: /etc/tidemark/credentials/api-token}"},
      {.path = "daemon.workers",
       .kind = Kind::integer,
       .fallback_note = "twice the cores, at least 4",
       .lowest = "1",
       .highest = "1024",
       .doc = "Runs at a time. Runs mostly wait for databases, so there may be more of them than "
              "cores; raise it when jobs stay queued while the machine is idle.",
       .example = "8",
       .reload = Reload::restart},
      {.path = "daemon.memory",
       .kind = Kind::size,
       .fallback = "64MiB",
       .lowest = "1MiB",
       .highest = "1TiB",
       .doc = "The bound on all rows in flight, over all jobs. A hard one: runs wait rather than "
              "pass it. Raise it with `workers`, or for rows of several megabytes."},
      {.path = "daemon.state_dir",
       .kind = Kind::text,
       .fallback = "/var/lib/tidemark",
       .doc = "Directory of the daemon's own SQLite file: run history and pauses. Checkpoints are "
              "not there, they are in the targets.",
       .reload = Reload::restart},
      {.path = "daemon.shutdown_timeout",
       .kind = Kind::duration,
       .fallback = "60s",
       .lowest = "0s",
       .highest = "1h",
       .doc = "How long a stop waits for the batches in flight before it cancels their statements. "
              "Keep it below TimeoutStopSec of the service."},
      {.path = "daemon.log",
       .kind = Kind::section,
       .doc = "Log lines go to standard error or to the journal."},
      {.path = "daemon.log.level",
       .kind = Kind::choice,
       .fallback = "info",
       .choices = {"trace", "debug", "info", "warn", "error"},
       .doc = "The least important line that is written. `debug` adds what drivers say, which may "
              "quote data."},
      {.path = "daemon.log.format",
       .kind = Kind::choice,
       .fallback = "auto",
       .choices = {"auto", "text", "json", "journal"},
       .doc = "`auto`: the journal with its fields where standard error goes to it, else text."},
      {.path = "include",
       .kind = Kind::list,
       .doc = "More files with `connections` and `jobs`. Globs, relative to this file; what a glob "
              "finds is read in bytewise order. Included files include nothing, and a name may "
              "stand once in all of them.",
       .example = "[conf.d/*.yaml]"},
      {.path = "alerts",
       .kind = Kind::named,
       .doc = "Where to send what goes wrong.",
       .later = true},
  };
}

}  // namespace tidemark::config
