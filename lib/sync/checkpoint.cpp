#include "sync/checkpoint.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace tidemark {
namespace {

using Json = nlohmann::json;

constexpr std::array all_kinds{
    TypeKind::boolean,   TypeKind::int8,    TypeKind::int16,    TypeKind::int32,
    TypeKind::int64,     TypeKind::uint8,   TypeKind::uint16,   TypeKind::uint32,
    TypeKind::uint64,    TypeKind::float32, TypeKind::float64,  TypeKind::decimal,
    TypeKind::text,      TypeKind::bytes,   TypeKind::date,     TypeKind::time,
    TypeKind::timestamp, TypeKind::instant, TypeKind::interval, TypeKind::uuid,
    TypeKind::json,      TypeKind::native};

constexpr std::array all_proofs{ProofKind::snapshot, ProofKind::transactions, ProofKind::rowversion,
                                ProofKind::single_writer, ProofKind::lookback};

[[noreturn]] void corrupt(const std::string& field) {
  throw Error(
      {.kind = FailureKind::position_lost,
       .message = "the stored checkpoint can't be read: " + field + " is not as it was written",
       .operation = "load checkpoint",
       .hint = "Something else has written to tidemark_checkpoint. Restore the row, or read "
               "everything again with `tidemark resync JOB`."});
}

Json type_json(const Type& type) {
  Json json{{"kind", to_string(type.kind)}};
  if (type.length != 0) json["length"] = type.length;
  if (type.precision != 0) json["precision"] = type.precision;
  if (type.scale != 0) json["scale"] = type.scale;
  if (type.fixed) json["fixed"] = true;
  if (!type.origin.empty()) json["origin"] = type.origin;
  return json;
}

Json value_json(const Value& value) {
  Json json{{"type", type_json(value.type)}};
  if (!value.null) json["text"] = value.text;
  return json;
}

Json key_json(const std::vector<Value>& key) {
  Json json = Json::array();
  for (const Value& part : key)
    json.push_back(value_json(part));
  return json;
}

Json position_json(const Position& position) {
  return {{"cursor", value_json(position.cursor)}, {"key", key_json(position.key)}};
}

Json token_json(const HorizonToken& token) {
  return {{"proof", to_string(token.proof)},
          {"mark", value_json(token.mark)},
          {"server", token.server},
          {"state", token.state},
          {"sampled", token.sampled.time_since_epoch().count()}};
}

Json time_json(const std::optional<WallTime>& time) {
  return time ? Json(time->time_since_epoch().count()) : Json(nullptr);
}

/// Reads an object whose members must be known and of the right type.
class Reader {
 public:
  Reader(const Json& json, std::string field) : json_(json), field_(std::move(field)) {
    if (!json_.is_object()) corrupt(field_);
  }
  ~Reader() = default;

  bool has(const char* name) const { return json_.contains(name); }
  const Json& member(const char* name) {
    const auto at = json_.find(name);
    if (at == json_.end()) corrupt(field_ + "." + name);
    ++read_;
    return *at;
  }
  std::string text(const char* name) {
    const Json& value = member(name);
    if (!value.is_string()) corrupt(field_ + "." + name);
    return value.get<std::string>();
  }
  bool flag(const char* name) {
    const Json& value = member(name);
    if (!value.is_boolean()) corrupt(field_ + "." + name);
    return value.get<bool>();
  }
  std::int64_t number(const char* name, std::int64_t low, std::int64_t high) {
    const Json& value = member(name);
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX))
      corrupt(field_ + "." + name);
    const auto number = value.get<std::int64_t>();
    if (number < low || number > high) corrupt(field_ + "." + name);
    return number;
  }
  std::optional<WallTime> time(const char* name) {
    if (member(name).is_null()) return std::nullopt;
    --read_;
    return WallTime(Duration(number(name, INT64_MIN, INT64_MAX)));
  }
  /// Every member was asked for.
  void done() const {
    if (read_ != json_.size()) corrupt(field_);
  }
  const std::string& field() const { return field_; }

 private:
  const Json& json_;
  std::string field_;
  std::size_t read_ = 0;
};

Type read_type(const Json& json, const std::string& field) {
  Reader reader(json, field + ".type");
  const std::string kind = reader.text("kind");
  Type type;
  bool known = false;
  for (const TypeKind one : all_kinds) {
    if (to_string(one) != kind) continue;
    type.kind = one;
    known = true;
  }
  if (!known) corrupt(field + ".type");
  if (reader.has("length"))
    type.length = static_cast<std::uint32_t>(reader.number("length", 0, UINT32_MAX));
  if (reader.has("precision"))
    type.precision = static_cast<std::uint16_t>(reader.number("precision", 0, UINT16_MAX));
  if (reader.has("scale"))
    type.scale = static_cast<std::int16_t>(reader.number("scale", INT16_MIN, INT16_MAX));
  if (reader.has("fixed")) type.fixed = reader.flag("fixed");
  if (reader.has("origin")) type.origin = reader.text("origin");
  reader.done();
  return type;
}

Value read_value(const Json& json, const std::string& field) {
  Reader reader(json, field);
  const Type type = read_type(reader.member("type"), field);
  if (!reader.has("text")) {
    reader.done();
    return Value::null_of(type);
  }
  std::string text = reader.text("text");
  reader.done();
  try {
    ColumnData probe(type);
    push_text(probe, text);
  } catch (const Error&) {
    corrupt(field);
  }
  return Value::of(type, std::move(text));
}

Value read_cursor(const Json& json, const std::string& field) {
  Value value = read_value(json, field);
  if (value.null || !is_cursor_type(value.type)) corrupt(field);
  return value;
}

std::vector<Value> read_key(const Json& json, const std::string& field) {
  if (!json.is_array()) corrupt(field);
  std::vector<Value> key;
  for (const Json& part : json) {
    key.push_back(read_value(part, field));
    if (key.back().null) corrupt(field);
  }
  return key;
}

Position read_position(const Json& json, const std::string& field) {
  Reader reader(json, field);
  Position position{read_cursor(reader.member("cursor"), field + ".cursor"), {}};
  position.key = read_key(reader.member("key"), field + ".key");
  reader.done();
  return position;
}

ProofKind read_proof(Reader& reader) {
  const std::string name = reader.text("proof");
  for (const ProofKind one : all_proofs)
    if (to_string(one) == name) return one;
  corrupt(reader.field() + ".proof");
}

Json parse(const std::string& text, const std::string& field) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) corrupt(field);
  return json;
}

HorizonToken read_token(const Json& json, const std::string& field) {
  Reader reader(json, field);
  HorizonToken token;
  token.proof = read_proof(reader);
  token.mark = read_cursor(reader.member("mark"), field + ".mark");
  token.server = reader.text("server");
  token.state = reader.text("state");
  token.sampled = WallTime(Duration(reader.number("sampled", INT64_MIN, INT64_MAX)));
  reader.done();
  return token;
}

std::vector<HorizonToken> read_tokens(const std::string& text) {
  std::vector<HorizonToken> tokens;
  if (text.empty()) return tokens;
  const Json json = parse(text, "tokens");
  if (!json.is_array() || json.size() > max_open_tokens) corrupt("tokens");
  for (const Json& one : json)
    tokens.push_back(read_token(one, "tokens"));
  return tokens;
}

std::optional<RangedLoad> read_ranged_load(Reader& reader) {
  if (!reader.has("ranged_load")) return std::nullopt;
  const std::string field = reader.field() + ".ranged_load";
  Reader inner(reader.member("ranged_load"), field);
  RangedLoad load{.token = read_token(inner.member("token"), field + ".token"),
                  .settled = inner.flag("settled")};
  const Json& key = inner.member("key");
  if (!key.is_array() || key.empty()) corrupt(field + ".key");
  for (const Json& column : key) {
    if (!column.is_string()) corrupt(field + ".key");
    load.key.push_back(column.get<std::string>());
  }
  inner.done();
  return load;
}

bool same_token(const HorizonToken& left, const HorizonToken& right) {
  return left.proof == right.proof && left.mark == right.mark && left.server == right.server &&
         left.state == right.state && left.sampled == right.sampled;
}

bool same_load(const std::optional<RangedLoad>& left, const std::optional<RangedLoad>& right) {
  if (!left || !right) return !left && !right;
  return same_token(left->token, right->token) && left->settled == right->settled &&
         left->key == right->key;
}

/// What the audit keeps; members that hold nothing are left out.
void add_audit(Json& details, const Checkpoint& checkpoint) {
  if (checkpoint.broken)
    details["broken"] = {{"since", checkpoint.broken->since.time_since_epoch().count()},
                         {"last", checkpoint.broken->last.time_since_epoch().count()},
                         {"rows", checkpoint.broken->rows}};
  if (!checkpoint.late.none())
    details["late"] = {{"time", checkpoint.late.time.count()}, {"count", checkpoint.late.count}};
  if (checkpoint.read_mark) details["read_mark"] = value_json(*checkpoint.read_mark);
  if (checkpoint.floor) details["floor"] = value_json(*checkpoint.floor);
  if (!checkpoint.output.empty()) details["output"] = checkpoint.output;
  if (checkpoint.audited_at)
    details["audited_at"] = checkpoint.audited_at->time_since_epoch().count();
  for (const PastMark& past : checkpoint.past_marks)
    details["past_marks"].push_back(
        {{"at", past.at.time_since_epoch().count()}, {"mark", value_json(past.mark)}});
}

WallTime wall_time(std::int64_t micros) {
  return WallTime(Duration(micros));
}

std::vector<PastMark> read_past_marks(const Json& json) {
  const std::string field = "details.past_marks";
  if (!json.is_array()) corrupt(field);
  std::vector<PastMark> marks;
  for (const Json& one : json) {
    Reader reader(one, field);
    marks.push_back({wall_time(reader.number("at", INT64_MIN, INT64_MAX)),
                     read_cursor(reader.member("mark"), field + ".mark")});
    reader.done();
  }
  return marks;
}

void read_audit(Reader& details, Checkpoint& checkpoint) {
  if (details.has("broken")) {
    Reader reader(details.member("broken"), "details.broken");
    checkpoint.broken =
        BrokenPromise{.since = wall_time(reader.number("since", INT64_MIN, INT64_MAX)),
                      .last = wall_time(reader.number("last", INT64_MIN, INT64_MAX)),
                      .rows = static_cast<std::uint64_t>(reader.number("rows", 0, INT64_MAX))};
    reader.done();
  }
  if (details.has("late")) {
    Reader reader(details.member("late"), "details.late");
    checkpoint.late = {.time = Duration(reader.number("time", 0, INT64_MAX)),
                       .count = static_cast<std::uint64_t>(reader.number("count", 0, INT64_MAX))};
    reader.done();
  }
  if (details.has("read_mark"))
    checkpoint.read_mark = read_cursor(details.member("read_mark"), "details.read_mark");
  if (details.has("floor"))
    checkpoint.floor = read_cursor(details.member("floor"), "details.floor");
  if (details.has("output")) checkpoint.output = details.text("output");
  if (details.has("audited_at")) checkpoint.audited_at = details.time("audited_at");
  if (details.has("past_marks"))
    checkpoint.past_marks = read_past_marks(details.member("past_marks"));
}

std::string line(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::exception&) {
    throw Error({.kind = FailureKind::internal,
                 .message = "a position holds text that is not UTF-8",
                 .operation = "save checkpoint",
                 .hint = "Choose a key without this column, or report a fault of the connector."});
  }
}

}  // namespace

bool operator==(const Checkpoint& left, const Checkpoint& right) {
  return left.definition == right.definition && left.epoch == right.epoch &&
         left.revision == right.revision && left.reached == right.reached &&
         left.settled == right.settled &&
         std::equal(left.tokens.begin(), left.tokens.end(), right.tokens.begin(),
                    right.tokens.end(), same_token) &&
         left.identity == right.identity && left.proof == right.proof &&
         left.initial_done == right.initial_done &&
         same_load(left.ranged_load, right.ranged_load) && left.backfill == right.backfill &&
         left.fresh_as_of == right.fresh_as_of && left.read_as_of == right.read_as_of &&
         left.source_clock == right.source_clock && left.our_clock == right.our_clock &&
         left.broken == right.broken && left.late == right.late &&
         left.read_mark == right.read_mark && left.floor == right.floor &&
         left.output == right.output && left.audited_at == right.audited_at &&
         left.past_marks == right.past_marks;
}

CheckpointRecord encode(const Checkpoint& checkpoint) {
  CheckpointRecord record{.definition = checkpoint.definition,
                          .epoch = checkpoint.epoch,
                          .revision = checkpoint.revision};
  if (checkpoint.reached) record.reached = line(position_json(*checkpoint.reached));
  if (checkpoint.settled) record.settled = line(value_json(*checkpoint.settled));
  if (!checkpoint.tokens.empty()) {
    Json tokens = Json::array();
    for (const HorizonToken& token : checkpoint.tokens)
      tokens.push_back(token_json(token));
    record.tokens = line(tokens);
  }
  Json details{{"identity", checkpoint.identity},
               {"proof", to_string(checkpoint.proof)},
               {"initial_done", checkpoint.initial_done},
               {"backfill", checkpoint.backfill},
               {"fresh_as_of", time_json(checkpoint.fresh_as_of)},
               {"read_as_of", time_json(checkpoint.read_as_of)},
               {"source_clock", time_json(checkpoint.source_clock)},
               {"our_clock", time_json(checkpoint.our_clock)}};
  if (const auto& load = checkpoint.ranged_load)
    details["ranged_load"] = {
        {"token", token_json(load->token)}, {"settled", load->settled}, {"key", load->key}};
  add_audit(details, checkpoint);
  record.details = line(details);
  return record;
}

Checkpoint decode(const CheckpointRecord& record) {
  Checkpoint checkpoint{
      .definition = record.definition, .epoch = record.epoch, .revision = record.revision};
  if (record.epoch < 1) corrupt("epoch");
  if (record.revision < 0) corrupt("revision");
  if (!record.reached.empty())
    checkpoint.reached = read_position(parse(record.reached, "reached"), "reached");
  if (!record.settled.empty())
    checkpoint.settled = read_cursor(parse(record.settled, "settled"), "settled");
  checkpoint.tokens = read_tokens(record.tokens);
  const Json details = parse(record.details, "details");
  Reader reader(details, "details");
  checkpoint.identity = reader.text("identity");
  checkpoint.proof = read_proof(reader);
  checkpoint.initial_done = reader.flag("initial_done");
  checkpoint.ranged_load = read_ranged_load(reader);
  checkpoint.backfill = reader.flag("backfill");
  checkpoint.fresh_as_of = reader.time("fresh_as_of");
  checkpoint.read_as_of = reader.time("read_as_of");
  checkpoint.source_clock = reader.time("source_clock");
  checkpoint.our_clock = reader.time("our_clock");
  read_audit(reader, checkpoint);
  reader.done();
  return checkpoint;
}

std::string encode_key(const std::vector<Value>& key) {
  return key.empty() ? "" : line(key_json(key));
}

std::vector<Value> decode_key(const std::string& text) {
  return text.empty() ? std::vector<Value>{} : read_key(parse(text, "range"), "range");
}

std::string encode_position(const Position& position) {
  return line(position_json(position));
}

Position decode_position(const std::string& text) {
  return read_position(parse(text, "position"), "position");
}

}  // namespace tidemark
