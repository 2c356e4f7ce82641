#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/types_markdown.h"
#include "observe/metric_table.h"

namespace tidemark {
namespace {

class SchemaCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_flag("--sample", sample_, "Print a commented configuration with every key instead");
    app.add_flag("--reference", reference_,
                 "Print the reference of all keys, as Markdown, instead");
    app.add_option(
           "--generate", directory_,
           "Write docs/config.md, docs/metrics.md, docs/types.md and etc/tidemark.yaml below "
           "this directory")
        ->type_name("DIR");
  }

  ExitStatus run(Console& console) override {
    if (!directory_.empty()) {
      generate();
      return ExitStatus::done;
    }
    console.print(sample_      ? config::sample_yaml()
                  : reference_ ? config::reference_markdown()
                               : config::schema_json());
    return ExitStatus::done;
  }

 private:
  void generate() const {
    const std::filesystem::path docs = std::filesystem::path(directory_) / "docs";
    std::error_code error;
    std::filesystem::create_directories(docs, error);
    std::filesystem::create_directories(std::filesystem::path(directory_) / "etc", error);
    config::write_generated(directory_);
    write(docs / "metrics.md", observe::metrics_markdown());
    write(docs / "types.md", types_markdown());
  }

  static void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush())
      throw Error({.kind = FailureKind::resource,
                   .message = "can't write " + path.string(),
                   .operation = "generate"});
  }

  bool sample_ = false;
  bool reference_ = false;
  std::string directory_;
};

}  // namespace

CommandInfo schema_command() {
  return {.name = "schema",
          .summary = "Print the JSON Schema of the configuration",
          .details =
              "Example: tidemark schema > tidemark.schema.json\n"
              "Editors find it through the file's first line:\n"
              "# yaml-language-server: $schema=tidemark.schema.json",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<SchemaCommand>()); }};
}

}  // namespace tidemark
