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
#include "tools/dynamoctl/password_command.h"
#include "tools/dynamoctl/repair_command.h"
#include "tools/dynamoctl/type_commands.h"

namespace dynamo::ctl {
namespace {

// Options that every command takes.
void AddCommon(CLI::App& app, Settings* settings) {
  app.add_option("--admin", settings->admin.url, "Admin API of the node to ask, host:port or https://host:port")
      ->envname("DYNAMO_ADMIN")
      ->capture_default_str();
  app.add_option("--http", settings->http.url, "HTTP door of the node to ask, host:port or https://host:port")
      ->envname("DYNAMO_HTTP")
      ->capture_default_str();
  admin::Credentials& with = settings->admin.with;
  app.add_option("--tls-ca", with.ca_file, "PEM file of the authorities to trust at https; else the system's")
      ->envname("DYNAMO_TLS_CA")
      ->check(CLI::ExistingFile);
  app.add_option("--tls-cert", with.certificate_file, "PEM file of the administrator's certificate")
      ->envname("DYNAMO_TLS_CERT")
      ->check(CLI::ExistingFile);
  app.add_option("--tls-key", with.key_file, "PEM file of its key")
      ->envname("DYNAMO_TLS_KEY")
      ->check(CLI::ExistingFile);
  app.add_option("--admin-token-file", with.token_file, "File of the administrator's token")
      ->envname("DYNAMO_ADMIN_TOKEN_FILE")
      ->check(CLI::ExistingFile);
  admin::Credentials& user = settings->http.with;
  app.add_option("--user", user.user, "User at the HTTP door")->envname("DYNAMO_USER");
  app.add_option("--password-file", user.password_file, "File whose first line is the user's password")
      ->envname("DYNAMO_PASSWORD_FILE")
      ->check(CLI::ExistingFile);
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
  AddPasswordCommand(app, &settings, &chosen);
  AddRepairCommand(app, &settings, &chosen);
  AddTypeCommands(app, &settings, &chosen);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : 2;
  }
  settings.http.with.ca_file = settings.admin.with.ca_file;
  const Status done = chosen();
  if (done) return 0;
  err << "dynamoctl: " << done.error().message << '\n';
  return done.error().code == Errc::kInvalidArgument ? 2 : 1;
}

}  // namespace dynamo::ctl
