// A stored checkpoint: what is taken is written and read again as the same, anything else is lost.
#include "fuzz.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using fuzz::require;

namespace {

void refused(const Error& error) {
  require(error.kind() == FailureKind::position_lost, "a checkpoint that can't be read is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  CheckpointRecord record;
  record.epoch = input.byte();
  record.revision = input.byte();
  record.definition = input.line();
  record.reached = input.line();
  record.settled = input.line();
  record.tokens = input.line();
  record.details = input.line();
  try {
    const Checkpoint checkpoint = decode(record);
    require(decode(encode(checkpoint)) == checkpoint, "a checkpoint comes back");
  } catch (const Error& error) {
    refused(error);
  }
  const std::string text(input.rest());
  try {
    const std::vector<Value> key = decode_key(text);
    require(decode_key(encode_key(key)) == key, "a key comes back");
  } catch (const Error& error) {
    refused(error);
  }
  try {
    const Position position = decode_position(text);
    require(decode_position(encode_position(position)) == position, "a position comes back");
  } catch (const Error& error) {
    refused(error);
  }
  return 0;
}
