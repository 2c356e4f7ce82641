#pragma once

#include "sync/job_plan.h"

namespace tidemark {

/// Works out what a job's watermark rests on: from what the catalogue shows, what the user vouches
/// for (`cursor.assume`) and asks for (`cursor.safety`). Fills in evidence, proof, lookback, start
/// and `proof_text` of a plan that has a cursor. Fails closed: what neither shows nor is vouched
/// for is a problem, unless the job asks for a lookback.
void prove_cursor(JobPlan& plan, const PlanPorts& ports);

/// Clocks that are set back: how far, and the first day on which they are.
struct SetBack {
  Duration by{};
  WallTime day{};
};
/// The first one in a zone within 400 days of `from`: local times of those hours come twice, so
/// that they don't grow with the rows. nullopt also for a zone that is not known here.
std::optional<SetBack> next_set_back(const Zones& zones, const std::string& zone, WallTime from);

}  // namespace tidemark
