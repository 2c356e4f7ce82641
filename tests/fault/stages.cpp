#include "stages.h"

namespace tidemark::test {

std::string to_string(Work work) {
  switch (work) {
    case Work::upsert:
      return "upsert";
    case Work::append:
      return "append";
    case Work::full:
      return "full";
    case Work::ranges:
      return "ranges";
    case Work::swap:
      return "swap";
    case Work::stop:
      return "stop";
  }
  return "";
}

// Rows travel in three batches, so the second of anything is in the middle.
const std::vector<Stage>& stages() {
  using enum Work;
  static const std::vector<Stage> all{
      {"before the checkpoint is asked for", "target.acquire", {upsert, full}},
      {"checkpoint read back", "target.acquire done", {upsert, append, full, ranges}},
      {"target table made", "target.prepare done", {upsert, append}},
      {"before the horizon", "source.horizon", {upsert}},
      {"horizon sampled", "source.horizon done", {upsert, append}},
      {"horizon settled", "source.settled done", {append}},
      {"read begun", "source.read done", {upsert, append, full}},
      {"before a batch is read", "read 2", {upsert, append}},
      {"batch read, before its transforms", "read done 2", {upsert, append, full}},
      {"source read to its end", "read end", {upsert, append, full}},
      {"transaction or staging begun", "target.begin done", {upsert, full, swap}},
      {"transformed, before the write", "load.put 2", {upsert, append, full, ranges}},
      {"rows written", "load.put done 2", {upsert, append, full, ranges, swap}},
      {"before the checkpoint is saved", "load.save", {upsert, full}},
      {"checkpoint saved beside the rows", "load.save done", {upsert, append, full}},
      {"replacing: before rows are deleted", "commit DELETE", {full}},
      {"replacing: before rows are changed", "commit UPDATE", {full}},
      {"replacing: before rows are added", "commit INSERT", {full}},
      {"replacing: before tables change names", "commit ALTER 2", {swap}},
      {"before COMMIT", "commit COMMIT", {upsert, append, full, swap}},
      {"COMMIT on its way", "commit sent", {upsert, append, full, ranges, swap}},
      {"COMMIT answered, nobody heard it", "commit unread", {upsert, append, full, ranges, swap}},
      {"COMMIT answered", "load.commit done", {upsert, append, full, ranges, swap}},
      {"COMMIT of a later batch on its way", "commit sent 2", {upsert, append}},
      {"COMMIT of a later batch answered", "load.commit done 2", {upsert, append}},
      {"ranges: bounds chosen", "source.split done", {ranges}},
      {"ranges: before a position is saved", "load.save_range 2", {ranges}},
      {"ranges: a position committed", "load.commit_range done 2", {ranges}},
      {"ranges: before a range is finished", "load.end_range", {ranges}},
      {"ranges: a range finished", "load.commit_end done", {ranges}},
      {"ranges: all loaded, before the end is saved", "load.drop_ranges", {ranges}},
      {"ranges: the end saved, before COMMIT", "load.commit 2", {ranges}},
      {"ranges: the end committed", "load.commit done 2", {ranges}},
      {"stop: before the lease is given back", "target.release", {stop}},
      {"stop: the lease given back", "target.release done", {stop}},
  };
  return all;
}

}  // namespace tidemark::test
