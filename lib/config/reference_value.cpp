#include "config/reference_value.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "config/near_miss.h"

namespace tidemark::config {
namespace {

constexpr std::size_t max_secret_bytes = 64 << 10;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return number_; }

 private:
  int number_;
};

std::string reason(int number) {
  return std::strerror(number);
}

const std::vector<std::string>& reference_keys() {
  static const std::vector<std::string> keys{"env", "file", "credential", "default"};
  return keys;
}

/// The key that makes a map a reference.
const Entry* kind_of(const Node& node) {
  for (const std::string_view key : {"env", "file", "credential"})
    if (const Entry* entry = node.find(key)) return entry;
  return nullptr;
}

}  // namespace

std::optional<References::Value> References::resolve(const Node& node, const std::string& path,
                                                     bool secret) {
  if (node.kind != Node::Kind::map) return std::nullopt;
  const Entry* entry = kind_of(node);
  if (entry == nullptr) return std::nullopt;
  Value nothing;
  bool wrong = false;
  for (const Entry& other : node.entries) {
    if (other.key == entry->key || (other.key == "default" && entry->key == "env")) continue;
    const auto& keys = reference_keys();
    const bool known = std::find(keys.begin(), keys.end(), other.key) != keys.end();
    report_.error(other.place,
                  {path, "\"" + other.key + "\" does not go with \"" + entry->key + "\"",
                   known ? "" : did_you_mean(other.key, keys)});
    wrong = true;
  }
  if (entry->value.kind != Node::Kind::scalar || entry->value.text.empty()) {
    report_.error(entry->value.place, {path, "\"" + entry->key + "\" must be a text"});
    wrong = true;
  }
  if (entry->key != "env" && !secret) {
    report_.error(entry->place, {path, "only a secret may come from a " + entry->key,
                                 "write the value, or take it from the environment by env"});
    wrong = true;
  }
  if (wrong) return nothing;
  if (entry->key == "env") return from_environment(node, path, secret);
  return entry->key == "file" ? from_file(*entry, path) : from_credential(*entry, path);
}

References::Value References::from_environment(const Node& node, const std::string& path,
                                               bool secret) {
  const Entry& name = *node.find("env");
  Value value{.text = variable(name.value.text), .source = " (env " + name.value.text + ")"};
  if (value.text && value.text->empty() && secret) {
    report_.error(name.place, {path, "the environment variable " + name.value.text + " is empty"});
    value.text.reset();
    return value;
  }
  if (value.text) return value;
  const Entry* fallback = node.find("default");
  if (fallback != nullptr) {
    value.fallback = &fallback->value;
    value.source = " (env " + name.value.text + " is not set: its default)";
    return value;
  }
  missing(name.place, {path, "the environment variable " + name.value.text + " is not set",
                       "set it, or give a default"});
  return value;
}

References::Value References::from_file(const Entry& entry, const std::string& path) {
  const std::string file = relative_to_file(entry.value.text, entry.place);
  return {.text = read(file, entry.place, path, true), .source = " (file " + file + ")"};
}

References::Value References::from_credential(const Entry& entry, const std::string& path) {
  const std::string& name = entry.value.text;
  Value value{.text = {}, .source = " (credential " + name + ")"};
  if (name.find('/') != std::string::npos || name == "." || name == "..") {
    report_.error(entry.place, {path, "a credential is named, not a path",
                                "for a path use file in place of credential"});
    return value;
  }
  const auto directory = variable("CREDENTIALS_DIRECTORY");
  if (!directory || directory->empty()) {
    missing(entry.place, {path, "there are no credentials: CREDENTIALS_DIRECTORY is not set",
                          "systemd sets it for a service with LoadCredential="});
    return value;
  }
  value.text = read(*directory + "/" + name, entry.place, path, false);
  return value;
}

void References::missing(const Place& place, Remark remark) {
  if (options_.resolve_secrets)
    report_.error(place, std::move(remark));
  else
    report_.warning(place, std::move(remark));
}

std::optional<std::string> References::variable(const std::string& name) const {
  if (options_.environment) return options_.environment(name);
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::string References::relative_to_file(const std::string& file, const Place& place) const {
  const std::filesystem::path wanted(file);
  if (wanted.is_absolute()) return file;
  return (std::filesystem::path(report_.files()[place.file]).parent_path() / wanted).string();
}

std::optional<std::string> References::read(const std::string& file, const Place& place,
                                            const std::string& path, bool check_mode) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) {
    missing(place, {path, "can't read the secret in " + file + ": " + reason(errno)});
    return std::nullopt;
  }
  const auto refuse = [&](const std::string& message, const std::string& hint = {}) {
    report_.error(place, {path, message, hint});
    return std::nullopt;
  };
  struct stat facts {};
  if (::fstat(descriptor.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return refuse(file + " is not a regular file");
  if (check_mode && (facts.st_mode & S_IRWXO) != 0)
    return refuse("the secret in " + file + " is open to every user of this machine",
                  "chmod o= " + file);
  std::string text(max_secret_bytes + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = ::read(descriptor.get(), text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse("can't read the secret in " + file + ": " + reason(errno));
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  text.resize(length);
  if (text.size() > max_secret_bytes) return refuse("the secret in " + file + " is over 64 KiB");
  if (text.ends_with("\r\n"))
    text.resize(text.size() - 2);
  else if (text.ends_with('\n'))
    text.pop_back();
  if (text.empty()) return refuse("the secret in " + file + " is empty");
  if (text.find('\0') != std::string::npos) return refuse("the secret in " + file + " holds a NUL");
  return text;
}

}  // namespace tidemark::config
