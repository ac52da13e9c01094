#include "tools/dynamoctl/commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <istream>
#include <iterator>
#include <ostream>

#include "tools/dynamoctl/cluster_commands.h"
#include "tools/dynamoctl/object_commands.h"
#include "tools/dynamoctl/repair_command.h"
#include "tools/dynamoctl/type_commands.h"

namespace dynamo::ctl {
namespace {

// Options that every command takes.
void AddCommon(CLI::App& app, Settings* settings) {
  app.add_option("--admin", settings->admin, "Admin API of the node to ask, host:port")
      ->envname("DYNAMO_ADMIN")
      ->capture_default_str();
  app.add_option("--http", settings->http, "HTTP door of the node to ask, host:port")
      ->envname("DYNAMO_HTTP")
      ->capture_default_str();
  app.add_option("-o,--output", settings->output, "How to print: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  // So that they may stand after the command too.
  app.fallthrough();
}

}  // namespace

int Run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err) {
  CLI::App app{"Looks after a Dynamo cluster: its nodes, its ring, its objects."};
  app.name("dynamoctl");
  app.require_subcommand(1);
  Settings settings;
  settings.in = &in;
  settings.out = &out;
  AddCommon(app, &settings);
  std::function<Status()> chosen;
  AddClusterCommands(app, &settings, &chosen);
  AddObjectCommands(app, &settings, &chosen);
  AddRepairCommand(app, &settings, &chosen);
  AddTypeCommands(app, &settings, &chosen);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : 2;
  }
  const Status done = chosen();
  if (done) return 0;
  err << "dynamoctl: " << done.error().message << '\n';
  return done.error().code == Errc::kInvalidArgument ? 2 : 1;
}

}  // namespace dynamo::ctl
