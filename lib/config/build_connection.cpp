#include <utility>
#include <vector>

#include "config/build.h"
#include "config/url.h"

namespace tidemark::config {
namespace {

TlsMode tls_mode(std::string_view text) {
  if (text == "disable") return TlsMode::disable;
  if (text == "require") return TlsMode::require;
  if (text == "verify-ca") return TlsMode::verify_ca;
  return TlsMode::verify_full;
}

/// What the file says of where the server is, the URL taken apart.
class Server {
 public:
  Server(Item& item, const Building& building) : item_(item), building_(building) {}

  void fill(ConnectionSettings& settings) {
    take_parts(settings);
    take_url(settings);
    if (settings.type.empty()) {
      if (!item_["type"].given() && !item_["url"].given())
        building_.error(item_, "needs a type", "sqlite, postgres or mysql");
      return;
    }
    if (settings.type == "sqlite")
      check_file();
    else
      check_server(settings);
  }

 private:
  void take_parts(ConnectionSettings& settings) const {
    settings.type = item_["type"].text;
    settings.host = item_["host"].text;
    settings.port = static_cast<std::uint16_t>(item_["port"].integer());
    settings.unix_socket = item_["unix"].text;
    settings.user = item_["user"].text;
    settings.database = item_["database"].text;
    settings.path = item_["path"].text;
  }

  void take_url(ConnectionSettings& settings) {
    const Item& url = item_["url"];
    if (!url.usable()) return;
    for (const std::string_view key : {"host", "port", "unix", "user", "database"})
      if (item_[key].given())
        building_.error(item_[key], "the URL says this already", "give one of the two");
    UrlVerdict verdict = parse_url(url.text);
    if (!verdict.url) {
      building_.error(url, std::move(verdict.message), std::move(verdict.hint));
      // Even `explain` must not print what may be a password.
      item_["url"].state = Item::State::unusable;
      return;
    }
    Item& type = item_["type"];
    if (!type.given())
      type.fill(verdict.url->type);
    else if (type.usable() && type.text != verdict.url->type)
      building_.error(type, "the URL is of type " + verdict.url->type);
    settings.type = verdict.url->type;
    settings.host = std::move(verdict.url->host);
    settings.port = verdict.url->port;
    settings.user = std::move(verdict.url->user);
    settings.database = std::move(verdict.url->database);
  }

  void check_file() const {
    if (!item_["path"].given()) building_.error(item_, "a sqlite connection needs a path");
    for (const std::string_view key :
         {"host", "port", "unix", "user", "password", "database", "primary", "metadata_schema"})
      refuse(item_[key], "sqlite");
    for (const Item& child : item_["tls"].children)
      refuse(child, "sqlite");
  }

  void check_server(const ConnectionSettings& settings) const {
    refuse(item_["path"], settings.type);
    const Item& url = item_["url"];
    if (url.given()) {
      if (url.usable() && settings.database.empty())
        building_.error(url, "the URL names no database", "…://user@host:port/database");
      return;
    }
    if (!item_["database"].given())
      building_.error(item_, "a " + settings.type + " connection needs a database");
    if (!item_["host"].given() && !item_["unix"].given())
      building_.error(item_, "where is the server?", "give host, unix or url");
    if (!item_["unix"].given()) return;
    for (const std::string_view key : {"host", "port"})
      if (item_[key].given())
        building_.error(item_[key], "\"unix\" is given as well", "the server has one address");
  }

  void refuse(const Item& key, const std::string& type) const {
    if (key.given()) building_.error(key, "does not go with type " + type);
  }

  Item& item_;
  const Building& building_;
};

TlsSettings build_tls(Item& item, const ConnectionSettings& connection, const Building& building) {
  Item& mode = item["mode"];
  const bool local = !connection.unix_socket.empty() || is_loopback(connection.host);
  if (connection.type == "sqlite") return {.mode = TlsMode::disable};
  if (mode.state == Item::State::absent) mode.fill(local ? "disable" : "verify-full");
  TlsSettings settings;
  settings.mode = tls_mode(mode.text);
  settings.ca = item["ca"].text;
  settings.cert = item["cert"].text;
  settings.key = item["key"].text;
  if (settings.mode == TlsMode::disable && mode.given() && !local)
    building.warning(mode, "rows and passwords travel in plain text to another machine");
  for (const std::string_view key : {"ca", "cert", "key"}) {
    const bool unused =
        settings.mode == TlsMode::disable || (key == "ca" && settings.mode == TlsMode::require);
    if (item[key].given() && unused)
      building.error(item[key], "has no effect with mode " + mode.text,
                     mode.given() ? "" : "that is the default here; give a mode");
  }
  if (item["cert"].given() && !item["key"].given()) building.error(item["cert"], "needs tls.key");
  if (item["key"].given() && !item["cert"].given()) building.error(item["key"], "needs tls.cert");
  return settings;
}

}  // namespace

ConnectionSettings build_connection(Item& item, const Building& building) {
  if (!is_name(item.name))
    building.error(item, "is no name for a connection",
                   "up to 64 of a-z, 0-9, _, . and -, a letter or digit first");
  ConnectionSettings settings;
  settings.name = ConnectionName(item.name);
  Server(item, building).fill(settings);
  settings.password = item["password"].secret;
  settings.access = item["access"].text == "read" ? Access::read : Access::write;
  settings.tls = build_tls(item["tls"], settings, building);
  settings.connect_timeout = item["connect_timeout"].duration();
  settings.stall_timeout = item["stall_timeout"].duration();
  settings.max_connections = static_cast<std::uint32_t>(item["limits"]["connections"].integer());
  settings.max_rows_per_second = item["limits"]["rows"].rate();
  building.check_zone(item["timezone"]);
  settings.timezone = item["timezone"].text;
  if (item["primary"].usable()) settings.primary = ConnectionName(item["primary"].text);
  settings.init_sql = item["init_sql"].list();
  settings.metadata_schema = item["metadata_schema"].text;
  return settings;
}

}  // namespace tidemark::config
