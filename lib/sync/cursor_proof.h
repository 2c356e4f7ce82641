#pragma once

#include "sync/job_plan.h"

namespace tidemark {

/// Works out what a job's watermark rests on: from what the catalogue shows, what the user vouches
/// for (`cursor.assume`) and asks for (`cursor.safety`). Fills in evidence, proof, lookback, start
/// and `proof_text` of a plan that has a cursor. Fails closed: what neither shows nor is vouched
/// for is a problem, unless the job asks for a lookback.
void prove_cursor(JobPlan& plan, Source& source);

}  // namespace tidemark
