#include "bench/report.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>

namespace tidemark::bench {
namespace {

std::string thousands(double number) {
  std::string text = fmt::format("{:.0f}", number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string ratio_text(std::optional<double> ratio) {
  return ratio ? fmt::format("{:.2f}", *ratio) : "-";
}

double per_second(const RouteResult& route, const Cost& cost) {
  return cost.seconds <= 0 ? 0 : static_cast<double>(route.rows) / cost.seconds;
}

double micros_per_row(const RouteResult& route, const Cost& cost) {
  return route.rows == 0 ? 0 : cost.client_cpu * 1e6 / static_cast<double>(route.rows);
}

double mib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1024 * 1024);
}

using Cells = std::vector<std::string>;

const Cells& heading() {
  static const Cells cells{"route",         "case",         "median s", "rows/s",
                           "ours/limit",    "ours/peer",    "must",     "aim",
                           "client us/row", "server CPU s", "peak RSS"};
  return cells;
}

std::vector<Cells> lines_of(const Report& report) {
  std::vector<Cells> lines;
  for (const RouteResult& route : report.routes) {
    for (const Measured& measured : route.cases) {
      const Cost& median = measured.median();
      const auto [low, high] = std::minmax_element(
          measured.rounds.begin(), measured.rounds.end(),
          [](const Cost& left, const Cost& right) { return left.seconds < right.seconds; });
      const bool ours = measured.name == "tidemark";
      const Measured* peer = route.peer();
      lines.push_back(
          {ours ? route.name : "", measured.name,
           fmt::format("{:.2f} [{:.2f}-{:.2f}]", median.seconds, low->seconds, high->seconds),
           thousands(per_second(route, median)), ours ? ratio_text(route.ratio_to("limit")) : "",
           ours ? ratio_text(peer == nullptr ? std::nullopt : route.ratio_to(peer->name)) : "",
           ours ? fmt::format("{:.2f}", route.must) : "",
           ours ? fmt::format("{:.2f}", route.aim) : "",
           fmt::format("{:.2f}", micros_per_row(route, median)),
           fmt::format("{:.2f}", median.server_cpu),
           fmt::format("{:.0f} MiB", mib(median.peak_rss))});
    }
  }
  return lines;
}

}  // namespace

const Cost& Measured::median() const {
  std::vector<std::size_t> order(rounds.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return rounds[left].seconds < rounds[right].seconds;
  });
  return rounds.at(order.at((order.size() - 1) / 2));
}

std::optional<double> RouteResult::ratio_to(const std::string& other) const {
  const auto find = [&](const std::string& wanted) {
    return std::find_if(cases.begin(), cases.end(),
                        [&](const Measured& measured) { return measured.name == wanted; });
  };
  const auto ours = find("tidemark");
  const auto theirs = find(other);
  if (ours == cases.end() || theirs == cases.end() || theirs->median().seconds <= 0)
    return std::nullopt;
  return ours->median().seconds / theirs->median().seconds;
}

const Measured* RouteResult::peer() const {
  for (const Measured& measured : cases)
    if (measured.name != "tidemark" && measured.name != "limit") return &measured;
  return nullptr;
}

bool Report::all_equal() const {
  return std::all_of(routes.begin(), routes.end(),
                     [](const RouteResult& route) { return route.equal; });
}

std::string text_of(const Report& report) {
  std::vector<Cells> lines = lines_of(report);
  lines.insert(lines.begin(), heading());
  std::vector<std::size_t> widths(heading().size());
  for (const Cells& cells : lines)
    for (std::size_t at = 0; at < cells.size(); ++at)
      widths[at] = std::max(widths[at], cells[at].size());
  std::string text;
  if (!report.routes.empty()) {
    for (const Cells& cells : lines) {
      std::string line;
      for (std::size_t at = 0; at < cells.size(); ++at)
        line += at < 2 ? fmt::format("{:<{}}  ", cells[at], widths[at])
                       : fmt::format("{:>{}}  ", cells[at], widths[at]);
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
  }
  for (const RouteResult& route : report.routes) {
    if (!route.equal) text += route.name + ": WHAT ARRIVED IS NOT WHAT WAS SENT\n";
    for (const std::string& note : route.notes)
      text += route.name + ": " + note + "\n";
  }
  for (const Figure& figure : report.figures)
    text += fmt::format("{}: {}: {:.2f} {} (bound {:.2f}){}\n", figure.route, figure.what,
                        figure.value, figure.unit, figure.bound, figure.met() ? "" : "  NOT MET");
  return text;
}

nlohmann::json json_of(const Report& report) {
  using nlohmann::json;
  json all = {
      {"date", report.date},         {"machine", report.machine}, {"command", report.command},
      {"revision", report.revision}, {"rows", report.rows},       {"bytes", report.bytes},
      {"rounds", report.rounds},     {"routes", json::array()},   {"figures", json::array()}};
  for (const RouteResult& route : report.routes) {
    json cases = json::array();
    for (const Measured& measured : route.cases) {
      json seconds = json::array();
      for (const Cost& cost : measured.rounds)
        seconds.push_back(cost.seconds);
      const Cost& median = measured.median();
      cases.push_back({{"name", measured.name},
                       {"seconds", seconds},
                       {"median_seconds", median.seconds},
                       {"rows_per_second", per_second(route, median)},
                       {"client_cpu_us_per_row", micros_per_row(route, median)},
                       {"server_cpu_seconds", median.server_cpu},
                       {"peak_rss_bytes", median.peak_rss}});
    }
    json entry = {{"name", route.name},   {"title", route.title}, {"limit", route.limit},
                  {"rows", route.rows},   {"must", route.must},   {"aim", route.aim},
                  {"equal", route.equal}, {"cases", cases},       {"notes", route.notes}};
    if (const auto ratio = route.ratio_to("limit")) entry["ratio_to_limit"] = *ratio;
    if (const Measured* peer = route.peer())
      entry["ratio_to_peer"] = route.ratio_to(peer->name).value_or(0);
    all["routes"].push_back(std::move(entry));
  }
  for (const Figure& figure : report.figures)
    all["figures"].push_back({{"route", figure.route},
                              {"what", figure.what},
                              {"value", figure.value},
                              {"bound", figure.bound},
                              {"unit", figure.unit},
                              {"met", figure.met()}});
  return all;
}

std::string markdown_of(const Report& report) {
  std::string text = fmt::format(
      "# Benchmarks\n\nWritten by `{}` on {}, revision {}; how it measures and what the limits "
      "are: "
      "[performance.md](performance.md).\n\n"
      "- Machine: {}. Servers and clients share it, over 127.0.0.1 without TLS.\n"
      "- {} rows, {:.0f} MB as text; {} rounds, the cases of a route in turns; median "
      "[fastest-slowest].\n",
      report.command, report.date, report.revision, report.machine,
      thousands(static_cast<double>(report.rows)), static_cast<double>(report.bytes) / 1e6,
      report.rounds);
  for (const std::string& line : report.settings)
    text += "- " + line + "\n";
  if (!report.routes.empty()) {
    std::string dashes;
    text += "\n|";
    for (const std::string& cell : heading()) {
      text += " " + cell + " |";
      dashes += "-|";
    }
    text += "\n|" + dashes + "\n";
    for (const Cells& cells : lines_of(report)) {
      text += "|";
      for (const std::string& cell : cells)
        text += " " + cell + " |";
      text += "\n";
    }
    text += "\nThe limits:\n\n";
    for (const RouteResult& route : report.routes) {
      text += fmt::format("- {} ({}): {}\n", route.name, route.title, route.limit);
      for (const std::string& note : route.notes)
        text += fmt::format("  - {}\n", note);
    }
  }
  if (!report.figures.empty()) {
    text += "\n| route | what | value | bound | met |\n|-|-|-|-|-|\n";
    for (const Figure& figure : report.figures)
      text += fmt::format("| {} | {} | {:.2f} {} | {:.2f} {} | {} |\n", figure.route, figure.what,
                          figure.value, figure.unit, figure.bound, figure.unit,
                          figure.met() ? "yes" : "no");
  }
  return text;
}

std::string machine() {
  std::string processor = "unknown processor";
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name")) {
      processor = line.substr(line.find(": ") + 2);
      break;
    }
  utsname about{};
  uname(&about);
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024 * 1024);
  return fmt::format("{} cores of {}, {:.0f} GiB, {} {}", sysconf(_SC_NPROCESSORS_ONLN), processor,
                     memory, about.sysname, about.release);
}

}  // namespace tidemark::bench
