#include "tools/dynamoctl/password_command.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <string>

#include "common/users/password.h"

namespace dynamo::ctl {
namespace {

Status PrintHash(const Settings& settings, uint32_t iterations) {
  std::string password;
  std::getline(*settings.in, password);
  if (password.ends_with('\r')) password.pop_back();
  if (password.empty()) return Fail(Errc::kInvalidArgument, "there is no password on the first line of the input");
  *settings.out << ToText(HashPassword(password, NewSalt(), iterations)) << '\n';
  return {};
}

}  // namespace

void AddPasswordCommand(CLI::App& app, const Settings* settings, std::function<Status()>* chosen) {
  CLI::App* command = app.add_subcommand(
      "hash-password", "Reads a password from the first line of the input; prints password_hash for the file of users");
  const auto iterations = std::make_shared<uint32_t>(kPasswordIterations);
  command->add_option("--iterations", *iterations, "How dear each guess is, and each login")
      ->check(CLI::Range(uint32_t{1000}, kPasswordIterationsMax))
      ->capture_default_str();
  command->callback([=] { *chosen = [=] { return PrintHash(*settings, *iterations); }; });
}

}  // namespace dynamo::ctl
