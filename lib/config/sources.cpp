#include "config/sources.h"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "config/parse.h"

namespace tidemark::config {
namespace {

/// FNV-1a.
void mix(std::uint64_t& hash, std::string_view bytes) {
  if (hash == 0) hash = 14695981039346656037ULL;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 1099511628211ULL;
  }
}

/// At most one byte more than a file may have.
std::optional<std::string> read_file(const std::string& path, std::uint32_t file, Report& report) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  const auto refuse = [&](const std::string& message) {
    report.error({.file = file}, {"", message});
    return std::nullopt;
  };
  if (!std::filesystem::exists(status)) return refuse("can't be read: no such file");
  if (!std::filesystem::is_regular_file(status)) return refuse("is not a regular file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse(std::string("can't be read: ") + std::strerror(errno));
  std::string text(max_file_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return refuse("can't be read: the file system reports an error");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string escape_glob(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (std::string_view("*?[]\\").find(letter) != std::string_view::npos) escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

/// Puts the connections and jobs of an included file beside those of the main file.
class Adder {
 public:
  Adder(Node& root, Report& report) : root_(root), report_(report) {}

  void add(Node file) {
    for (Entry& entry : file.entries) {
      if (entry.key == "version") {
        check_version(entry);
      } else if (entry.key == "connections" || entry.key == "jobs") {
        add_names(std::move(entry));
      } else if (entry.key == "include") {
        report_.error(entry.place, {entry.key, "an included file includes nothing",
                                    "name the files in the main file"});
      } else if (option_tree().child(entry.key) != nullptr) {
        report_.error(entry.place,
                      {entry.key, "\"" + entry.key + "\" may stand in the main file only"});
      } else {
        root_.entries.push_back(std::move(entry));  // the reader will say that it is unknown
      }
    }
  }

 private:
  void check_version(const Entry& entry) {
    const Entry* main = root_.find("version");
    if (main == nullptr || entry.value.kind != Node::Kind::scalar ||
        entry.value.text != main->value.text)
      report_.error(entry.value.place, {"version", "differs from the main file's"});
  }

  void add_names(Entry section) {
    Entry* main = root_.find(section.key);
    if (main == nullptr || main->value.kind == Node::Kind::null) {
      if (main != nullptr)
        main->value = std::move(section.value);
      else
        root_.entries.push_back(std::move(section));
      return;
    }
    if (section.value.kind == Node::Kind::null) return;
    if (section.value.kind != Node::Kind::map) {
      report_.error(section.value.place,
                    {section.key, "must be a map, but is " + std::string(describe(section.value))});
      return;
    }
    for (Entry& entry : section.value.entries) {
      if (const Entry* first = main->value.find(entry.key))
        report_.error(entry.place,
                      {section.key + "." + entry.key, "\"" + entry.key + "\" stands twice",
                       "first at " + report_.where(first->place)});
      else
        main->value.entries.push_back(std::move(entry));
    }
  }

  Node& root_;
  Report& report_;
};

std::optional<Node> read_one(const std::string& path, Report& report, std::uint64_t& fingerprint) {
  const std::uint32_t file = report.add_file(path);
  const auto text = read_file(path, file, report);
  if (!text) return std::nullopt;
  mix(fingerprint, path);
  mix(fingerprint, *text);
  std::optional<Node> root = parse(*text, file, report);
  if (root && root->kind != Node::Kind::map) {
    report.error(root->place,
                 {"", "the file must be a map, but is " + std::string(describe(*root))});
    return std::nullopt;
  }
  return root;
}

}  // namespace

std::vector<std::string> included_files(const std::string& base, const std::string& pattern) {
  std::string full = pattern;
  const std::filesystem::path directory = std::filesystem::path(base).parent_path();
  if (!std::filesystem::path(pattern).is_absolute() && !directory.empty())
    full = escape_glob(directory.string()) + "/" + pattern;
  glob_t found{};
  const std::unique_ptr<glob_t, decltype(&::globfree)> release(&found, ::globfree);
  std::vector<std::string> files;
  if (::glob(full.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  std::sort(files.begin(), files.end());
  return files;
}

Sources read_sources(const std::string& path, Reader& reader, Report& report) {
  Sources sources;
  sources.root = read_one(path, report, sources.fingerprint);
  if (!sources.root) return sources;
  const Entry* include = sources.root->find("include");
  if (include == nullptr) return sources;
  const Item patterns = reader.one(*option_tree().child("include"), *include);
  Adder adder(*sources.root, report);
  for (const Item& pattern : patterns.children) {
    if (!pattern.usable()) continue;
    const std::vector<std::string> files = included_files(path, pattern.text);
    const bool literal = pattern.text.find_first_of("*?[") == std::string::npos;
    if (files.empty() && literal)
      report.error(pattern.place, {pattern.path, "no file \"" + pattern.text + "\""});
    for (const std::string& file : files) {
      const auto& known = report.files();
      if (std::find(known.begin(), known.end(), file) != known.end()) continue;
      if (auto node = read_one(file, report, sources.fingerprint)) adder.add(std::move(*node));
    }
  }
  return sources;
}

}  // namespace tidemark::config
