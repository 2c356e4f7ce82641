#pragma once

#include <vector>

#include "sync/job_plan.h"

// What a job's plan alone says about its first load in key ranges; what its checkpoint says comes
// on top (job_first_load.cpp). For plans without problems. Pure; any thread.
namespace tidemark {

/// How a key range that was begun goes on.
enum class RangeResume {
  behind,  ///< with the next row: none shares a key with another
  at,      ///< with the last row once more: others may have what the server takes for its key
  anew,    ///< the server may sort keys otherwise than it compares them
};

/// The columns whose order the ranges follow; empty where rows could slip from a range that was not
/// read yet into one that was, without being read again: a cursor that stays when the key changes.
std::vector<KeyPart> range_key(const JobPlan& plan);

RangeResume range_resume(const JobPlan& plan);

/// Whether the first load may go in key ranges.
bool may_load_ranges(const JobPlan& plan);

/// Whether the target's table may get the index over its key at the end of the first load. Until
/// then no row may come twice: ranges that are disjoint and go on behind their last row see to
/// that, in a table that nobody wrote to before they began.
bool may_fill_table(const JobPlan& plan);

std::vector<std::string> names_of(const std::vector<KeyPart>& key);

}  // namespace tidemark
