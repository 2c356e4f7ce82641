#include "transform/timezone.h"

#include "core/error.h"

namespace tidemark {

std::string ShiftZone::describe() const {
  return direction_ == Direction::to_instant ? "local time of " + zone_ + " to instant"
                                             : "instant to local time of " + zone_;
}

Column ShiftZone::change(const Column& input) const {
  const TypeKind from =
      direction_ == Direction::to_instant ? TypeKind::timestamp : TypeKind::instant;
  if (input.type.kind != from)
    refuse("the column is " + to_string(input.type) + ", not " + std::string(to_string(from)),
           "Take `source_timezone` away: only local times can be put into a zone.");
  if (!zones_.known(zone_))
    refuse("there is no zone " + zone_, "Use an IANA name, such as Asia/Shanghai.");
  Column column = input;
  column.type.kind = direction_ == Direction::to_instant ? TypeKind::instant : TypeKind::timestamp;
  return column;
}

std::optional<ColumnData> ShiftZone::convert(const ColumnData& input, const Type& to) const {
  ColumnData output(to);
  output.reserve(input.size());
  for (std::size_t row = 0; row < input.size(); ++row) {
    if (input.is_null(row)) {
      output.push_null();
      continue;
    }
    const auto micros = input.at<std::int64_t>(row);
    try {
      output.push(direction_ == Direction::to_instant ? zones_.local_to_utc(zone_, micros)
                                                      : zones_.utc_to_local(zone_, micros));
    } catch (const Error& error) {
      Error::Fields fields = error.fields();
      fields.row = row;
      throw Error(std::move(fields));
    }
  }
  return output;
}

}  // namespace tidemark
