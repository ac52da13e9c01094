#include "tools/dynamoctl/object_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <istream>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>

#include "tools/dynamoctl/object_client.h"

namespace dynamo::ctl {
namespace {

namespace json = boost::json;

struct ObjectArguments {
  std::string object, value, context;
  std::string content_type = "text/plain";
  ObjectClient::Query query;
};

Status Get(const Settings& settings, const ObjectArguments& arguments) {
  const auto name = ParseObjectName(arguments.object);
  if (!name) return Fail(name.error());
  const auto found = ObjectClient(settings.http).Get(*name, arguments.query);
  if (!found) return Fail(found.error());
  if (settings.json()) {
    json::array values;
    for (const Value& value : found->values) {
      values.push_back(
          json::object{{"value", value.data}, {"contentType", value.content_type}, {"deleted", value.deleted}});
    }
    *settings.out << json::serialize(json::object{{"found", !found->values.empty()},
                                                  {"values", std::move(values)},
                                                  {"context", found->context},
                                                  {"coordinator", found->coordinator}})
                  << '\n';
    return {};
  }
  if (found->values.empty()) return Fail(Errc::kNotFound, fmt::format("{}: not found", arguments.object));
  if (found->values.size() == 1) {
    *settings.out << found->values[0].data << '\n';
  } else {
    *settings.out << fmt::format("{} siblings:\n", found->values.size());
    for (const Value& value : found->values) {
      *settings.out << "  " << (value.deleted ? "(deleted)" : value.data) << '\n';
    }
  }
  *settings.out << "context: " << found->context << '\n';
  return {};
}

Status Put(const Settings& settings, const ObjectArguments& arguments) {
  const auto name = ParseObjectName(arguments.object);
  if (!name) return Fail(name.error());
  std::string data = arguments.value;
  if (data == "-") data.assign(std::istreambuf_iterator<char>(*settings.in), {});
  const auto context =
      ObjectClient(settings.http).Put(*name, data, arguments.content_type, arguments.context, arguments.query);
  if (!context) return Fail(context.error());
  if (settings.json()) {
    *settings.out << json::serialize(json::object{{"stored", true}, {"context", *context}}) << '\n';
  } else {
    *settings.out << fmt::format("stored {} bytes\n", data.size());
  }
  return {};
}

Status Delete(const Settings& settings, const ObjectArguments& arguments) {
  const auto name = ParseObjectName(arguments.object);
  if (!name) return Fail(name.error());
  Status done = ObjectClient(settings.http).Delete(*name, arguments.context, arguments.query);
  if (!done) return done;
  *settings.out << (settings.json() ? R"({"deleted":true})" : "deleted") << '\n';
  return {};
}

void AddQuorum(CLI::App* command, const std::shared_ptr<ObjectArguments>& arguments, const std::string& name,
               const std::string& help) {
  command->add_option_function<std::string>(
      "--" + name, [arguments, name](const std::string& value) { arguments->query[name] = value; }, help);
}

}  // namespace

void AddObjectCommands(CLI::App& app, const Settings* settings, std::function<Status()>* chosen) {
  const auto arguments = std::make_shared<ObjectArguments>();
  const auto add = [&](const char* name, const char* help, Status (*run)(const Settings&, const ObjectArguments&)) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("object", arguments->object, "TYPE/BUCKET/KEY, for example siblings/carts/ann")->required();
    command->callback([=] { *chosen = [=] { return run(*settings, *arguments); }; });
    return command;
  };
  CLI::App* get = add("get", "Reads an object: its value, or all its siblings, and their context", Get);
  AddQuorum(get, arguments, "r", "Replicas that must answer: a number, one, quorum, all");
  AddQuorum(get, arguments, "pr", "Of them owners");

  CLI::App* put = add("put", "Writes an object; with the context of a read it replaces what that read saw", Put);
  put->add_option("value", arguments->value, "The value; - reads it from standard input")->required();
  put->add_option("--context", arguments->context, "What get printed");
  put->add_option("--content-type", arguments->content_type)->capture_default_str();
  AddQuorum(put, arguments, "w", "Replicas that must have it: a number, one, quorum, all");
  AddQuorum(put, arguments, "pw", "Of them owners");

  CLI::App* erase = add("delete", "Deletes an object", Delete);
  erase->add_option("--context", arguments->context, "What get printed; without it, all that a read finds");
  AddQuorum(erase, arguments, "w", "Replicas that must have the tombstone");
}

}  // namespace dynamo::ctl
