#include <fmt/format.h>

#include "daemon/http/api.h"
#include "daemon/text.h"

namespace tidemark::http {
namespace {

/// Names and messages come from configuration and databases: nothing of them may become markup.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

std::string text_at(const Json& value, const char* name) {
  const auto found = value.find(name);
  if (found == value.end() || !found->is_string()) return "–";
  return escaped(found->get<std::string>());
}

std::string seconds_at(const Json& value, const char* name) {
  const auto found = value.find(name);
  if (found == value.end() || !found->is_number()) return "–";
  return span_text(Duration(static_cast<std::int64_t>(found->get<double>() * 1e6)));
}

std::string chip(const Json& job) {
  const std::string state = text_at(job, "state");
  const bool stale = job["stale"].get<bool>();
  const bool bad = !job["healthy"].get<bool>();
  const bool slow = state == "backoff" || state == "paused" || job["late"].get<bool>();
  return fmt::format(R"(<span class="chip {}">{} {}</span>)",
                     bad    ? "bad"
                     : slow ? "slow"
                            : "good",
                     bad    ? "✗"
                     : slow ? "!"
                            : "✓",
                     stale ? state + ", stale" : state);
}

std::string job_row(const Json& job) {
  const Json& last = job["last"];
  const std::uint64_t rows = last["counts"]["inserted"].get<std::uint64_t>() +
                             last["counts"]["updated"].get<std::uint64_t>() +
                             last["counts"]["deleted"].get<std::uint64_t>();
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td class=\"number\">{}</td><td>{}</td></tr>\n",
      text_at(job, "name"), chip(job), seconds_at(job["progress"], "lag_seconds"),
      text_at(last, "success"), text_at(job, "next_run"), count_text(rows),
      job["reason"].is_string() ? text_at(job, "reason") : "");
}

std::string banner(const Json& status) {
  const Json& reload = status["last_reload"];
  if (!reload.is_object() || reload["result"] != "rejected") return {};
  std::string text = "<section class=\"banner\" role=\"alert\"><h2>Reload refused</h2><ul>";
  for (const Json& error : reload["errors"])
    text += "<li>" + escaped(error.get<std::string>()) + "</li>";
  return text + "</ul></section>\n";
}

}  // namespace

std::string_view status_style() noexcept {
  return R"(:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid #8886; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.chip { padding: .1rem .5rem; border-radius: .8rem; white-space: nowrap; color: #fff; }
.good { background: #1a7f37; } .slow { background: #9a6700; } .bad { background: #cf222e; }
.banner { border: 2px solid #cf222e; padding: 0 1rem; }
)";
}

std::string status_page(const Json& status) {
  std::string rows;
  for (const Json& job : status["jobs"])
    rows += job_row(job);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta http-equiv=\"refresh\" content=\"5\"><title>Tidemark: {0}</title>"
      "<link rel=\"stylesheet\" href=\"/status.css\"></head><body>\n"
      "<header><h1>Tidemark: {0}</h1><p>Version {1}, configuration generation {2}, at "
      "<time datetime=\"{3}\">{3}</time>{4}</p></header>\n{5}"
      "<main><table><caption>Jobs</caption><thead><tr><th scope=\"col\">Job</th>"
      "<th scope=\"col\">State</th><th scope=\"col\">Lag</th><th scope=\"col\">Last success</th>"
      "<th scope=\"col\">Next run</th><th scope=\"col\">Rows changed last</th>"
      "<th scope=\"col\">Why</th></tr></thead><tbody>\n{6}</tbody></table></main>\n"
      "<footer><p><a href=\"/api/v1/status\">As JSON</a>, <a href=\"/metrics\">metrics</a></p>"
      "</footer></body></html>\n",
      text_at(status, "instance"), text_at(status, "version"),
      status["generation"].get<std::uint64_t>(), text_at(status, "now"),
      status["stopping"].get<bool>() ? ", stopping" : "", banner(status), rows);
}

}  // namespace tidemark::http
