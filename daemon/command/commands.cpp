#include "daemon/command/command.h"

namespace tidemark {

const std::vector<CommandInfo>& commands() {
  static const std::vector<CommandInfo> all{
      daemon_command(),   check_command(),   plan_command(),    run_command(),
      status_command(),   list_command(),    why_command(),     history_command(),
      pause_command(),    resume_command(),  cancel_command(),  resync_command(),
      backfill_command(), accept_command(),  reload_command(),  checkpoint_command(),
      grants_command(),   prepare_command(), explain_command(), schema_command(),
      cron_command(),     demo_command(),    version_command(),
  };
  return all;
}

}  // namespace tidemark
