#include "node/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "node/config_settings.h"

namespace dynamo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct FakeInvocation {
  std::vector<std::string> arguments = {"--data-dir", "/data"};
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> files;

  Result<LoadedConfig> Load() const {
    return LoadConfig({arguments,
                       [this](const std::string& name) -> std::optional<std::string> {
                         const auto found = environment.find(name);
                         if (found == environment.end()) return std::nullopt;
                         return found->second;
                       },
                       [this](const std::string& path) -> Result<std::string> {
                         const auto found = files.find(path);
                         if (found == files.end()) return Fail(Errc::kNotFound, "cannot read " + path);
                         return found->second;
                       }});
  }
  NodeConfig Config() const {
    auto loaded = Load();
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
    return loaded ? std::move(loaded->config) : NodeConfig{};
  }
  std::string Refusal() const {
    const auto loaded = Load();
    EXPECT_FALSE(loaded.has_value());
    return loaded ? "" : loaded.error().message;
  }
  FakeInvocation& Say(std::vector<std::string> more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return *this;
  }
  FakeInvocation& File(const std::string& text) {
    files["node.yaml"] = text;
    return Say({"--config", "node.yaml"});
  }
};

TEST(Config, NeedsNoMoreThanADataFolder) {
  const NodeConfig config = FakeInvocation().Config();
  EXPECT_EQ(config.data_dir, "/data");
  EXPECT_EQ(config.http_port, 8098);
  EXPECT_EQ(config.pb_port, 8087);
  EXPECT_EQ(config.peer_port, 8099);
  EXPECT_EQ(config.admin_port, 8091);
  EXPECT_EQ(config.listen_address, "127.0.0.1");
  EXPECT_EQ(config.advertise_address, "127.0.0.1");
  EXPECT_EQ(config.name, "dynamo@127.0.0.1");
  EXPECT_TRUE(config.seeds.empty());
}

TEST(Config, TheDataFolderMustBeNamed) {
  FakeInvocation invocation;
  invocation.arguments.clear();
  EXPECT_THAT(invocation.Refusal(), HasSubstr("--data-dir"));
}

TEST(Config, AFlagGoesBeforeTheEnvironmentAndThatBeforeTheFile) {
  FakeInvocation invocation;
  invocation.File("http-port: 1001\npb-port: 1002\nadmin-port: 1003\n");
  invocation.environment = {{"DYNAMO_HTTP_PORT", "2001"}, {"DYNAMO_PB_PORT", "2002"}};
  invocation.Say({"--http-port", "3001"});
  const NodeConfig config = invocation.Config();
  EXPECT_EQ(config.http_port, 3001);
  EXPECT_EQ(config.pb_port, 2002);
  EXPECT_EQ(config.admin_port, 1003);
}

TEST(Config, TheFileMayBeNamedInTheEnvironment) {
  FakeInvocation invocation;
  invocation.files["other.yaml"] = "zone: z7";
  invocation.environment["DYNAMO_CONFIG"] = "other.yaml";
  EXPECT_EQ(invocation.Config().zone, "z7");
}

// One that is nobody's default.
std::string ValueOfType(const std::string& type) {
  static const std::map<std::string, std::string> values = {
      {"TEXT", "10.1.2.3:77"}, {"LIST", "a:1,b:2"}, {"LEVEL", "warn"}, {"MODE", "required"}, {"true|false", "true"}};
  const auto found = values.find(type);
  return found == values.end() ? "41" : found->second;
}

TEST(Config, EverySettingCanBeGivenInAllThreePlacesAndShowsTheSame) {
  for (const Setting& setting : Settings()) {
    const std::string type = TypeName(setting);
    std::string value = ValueOfType(type);
    if (setting.name == "listen-address" || setting.name == "advertise-address") value = "10.1.2.3";
    // Alone, a maximum below the default of what it bounds would be refused.
    if (setting.name == "request-timeout-max-ms") value = "60001";
    FakeInvocation flag, variable, file;
    flag.arguments = {"--" + setting.name, value};
    variable.environment = {{EnvironmentName(setting), value}};
    file.files["f"] = setting.name + ": " + value;
    file.environment["DYNAMO_CONFIG"] = "f";
    variable.arguments.clear();
    file.arguments.clear();
    for (FakeInvocation* invocation : {&flag, &variable, &file}) {
      if (setting.name != "data-dir") invocation->Say({"--data-dir", "/data"});
      if (setting.name == "auth-users-file") invocation->Say({"--auth-allow-plaintext", "true"});
      if (type == "MODE") invocation->Say({"--" + setting.name + "-folder", "/tls"});
      EXPECT_EQ(ShowValue(setting, invocation->Config()), value) << setting.name;
    }
  }
}

TEST(Config, SettingsHaveDistinctNamesAndSayWhatTheyAre) {
  std::map<std::string, int> names;
  for (const Setting& setting : Settings()) {
    EXPECT_EQ(++names[setting.name], 1) << setting.name;
    EXPECT_FALSE(setting.help.empty());
  }
}

TEST(Config, HelpListsEverySettingWithItsDefaultAndTheOtherPlaces) {
  FakeInvocation invocation;
  invocation.arguments = {"--help"};
  const auto loaded = invocation.Load();
  ASSERT_TRUE(loaded.has_value());
  for (const Setting& setting : Settings()) EXPECT_THAT(loaded->print, HasSubstr("--" + setting.name + " "));
  EXPECT_THAT(loaded->print, HasSubstr("8098"));
  EXPECT_THAT(loaded->print, HasSubstr("DYNAMO_DATA_DIR"));
}

TEST(Config, VersionIsPrinted) {
  FakeInvocation invocation;
  invocation.arguments = {"--version"};
  ASSERT_TRUE(invocation.Load().has_value());
  EXPECT_THAT(invocation.Load()->print, HasSubstr("dynamo-node "));
}

TEST(Config, ListsComeByCommaByRepetitionAndAsYamlSequences) {
  EXPECT_THAT(FakeInvocation().Say({"--seeds", "a:1,b:2", "--seeds", "c:3"}).Config().seeds,
              ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_THAT(FakeInvocation().File("seeds: [a:1, b:2]").Config().seeds, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(FakeInvocation().File("seeds:\n  - a:1\n  - b:2\n").Config().seeds, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(FakeInvocation().File("seeds: a:1,b:2").Config().seeds, ElementsAre("a:1", "b:2"));
}

TEST(Config, NumbersMayCarryBinaryUnits) {
  EXPECT_EQ(FakeInvocation().Say({"--hint-bytes-max", "3GiB"}).Config().service.hint_bytes_max, uint64_t{3} << 30);
  EXPECT_THAT(FakeInvocation().Say({"--hint-bytes-max", "99999999999GiB"}).Refusal(), HasSubstr("--hint-bytes-max"));
}

TEST(Config, DurationsAreInMilliseconds) {
  EXPECT_EQ(FakeInvocation().Say({"--replica-timeout-ms", "250"}).Config().service.replica_timeout,
            std::chrono::milliseconds(250));
}

TEST(Config, AWrongFlagIsNamed) {
  EXPECT_THAT(FakeInvocation().Say({"--no-such-flag", "1"}).Refusal(), HasSubstr("--no-such-flag"));
  EXPECT_THAT(FakeInvocation().Say({"stray"}).Refusal(), HasSubstr("stray"));
  EXPECT_THAT(FakeInvocation().Say({"--http-port"}).Refusal(), HasSubstr("--http-port"));
  EXPECT_THAT(FakeInvocation().Say({"--http-port", "1", "--http-port", "2"}).Refusal(), HasSubstr("--http-port"));
  EXPECT_EQ(FakeInvocation().Say({"--http-port", "65536"}).Refusal(),
            "--http-port: \"65536\" is no number from 0 to 65535");
  EXPECT_THAT(FakeInvocation().Say({"--capacity", "0"}).Refusal(), HasSubstr("from 1 to 1000000"));
  EXPECT_THAT(FakeInvocation().Say({"--log-level", "loud"}).Refusal(), HasSubstr("debug, info, warn, error"));
}

TEST(Config, AWrongVariableIsNamed) {
  FakeInvocation invocation;
  invocation.environment["DYNAMO_HTTP_PORT"] = "tcp://10.0.0.1:80";
  EXPECT_THAT(invocation.Refusal(), HasSubstr("DYNAMO_HTTP_PORT: \"tcp://10.0.0.1:80\""));
}

TEST(Config, AWrongFileNamesTheLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"zone: a\n\nhttp-prot: 1\n", "node.yaml:3: unknown setting \"http-prot\""},
      {"zone: a\nhttp-port: eighty\n", "node.yaml:2: http-port: \"eighty\" is no number"},
      {"zone: a\nhttp-port: [1, 2]\n", "node.yaml:2: http-port: wants one value"},
      {"http-port:\n", "node.yaml:1: http-port: wants one value"},
      {"seeds:\n  - a:1\n  - {b: 2}\n", "node.yaml:3: seeds: wants a list of texts"},
      {"seeds: {a: 1}\n", "node.yaml:1: seeds: wants a text or a list of texts"},
      {"zone: a\nzone: b\n", "node.yaml:2: \"zone\" is given twice"},
      {"- zone\n", "node.yaml:1: wants lines of \"name: value\""},
      {"just text", "node.yaml:1: wants lines"},
      {"zone: [a\nname: b\n", "node.yaml:"},
      {"zone: a\n---\nzone: b\n", "node.yaml:2: a second document"},
      {", http-port: 1", "node.yaml:1: a second document"},
      {"[zone]: a\n", "node.yaml:1: wants the name of a setting"},
      {"zone: *nowhere\n", "node.yaml:1: "},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(FakeInvocation().File(text).Refusal(), HasSubstr(message)) << text;
  }
}

TEST(Config, AWrongFileIsWrongEvenWhereAFlagOverridesIt) {
  EXPECT_THAT(FakeInvocation().File("http-port: eighty").Say({"--http-port", "80"}).Refusal(),
              HasSubstr("node.yaml:1: http-port"));
}

TEST(Config, AHostileFileIsRefusedAtOnce) {
  EXPECT_THAT(FakeInvocation().File("zone: " + std::string(100'000, '[')).Refusal(), HasSubstr("nested too deeply"));
  EXPECT_THAT(FakeInvocation().File(std::string(100'000, '-')).Refusal(), HasSubstr("node.yaml"));
  std::string dashes;
  for (int i = 0; i < 50'000; ++i) dashes += "- ";
  EXPECT_THAT(FakeInvocation().File(dashes).Refusal(), HasSubstr("nested too deeply"));
  EXPECT_THAT(FakeInvocation().File(std::string(2 << 20, '#')).Refusal(), HasSubstr("larger than"));
  EXPECT_THAT(FakeInvocation().File("seeds: &a [*a]").Refusal(), HasSubstr("node.yaml"));
}

TEST(Config, AnEmptyFileSaysNothing) {
  EXPECT_EQ(FakeInvocation().File("").Config().http_port, 8098);
  EXPECT_EQ(FakeInvocation().File("# only a comment\n").Config().http_port, 8098);
}

TEST(Config, AnUnreadableFileIsNamed) {
  EXPECT_EQ(FakeInvocation().Say({"--config", "missing.yaml"}).Refusal(), "cannot read missing.yaml");
}

TEST(Config, WhatDoesNotFitTogetherIsRefused) {
  EXPECT_THAT(FakeInvocation().Say({"--http-port", "9", "--pb-port", "9"}).Refusal(), HasSubstr("9 is given twice"));
  EXPECT_THAT(FakeInvocation().Say({"--listen-address", "0.0.0.0"}).Refusal(), HasSubstr("advertise-address"));
  EXPECT_THAT(FakeInvocation().Say({"--listen-address", "myhost"}).Refusal(), HasSubstr("no IP address"));
  EXPECT_THAT(FakeInvocation().Say({"--seeds", "nohost"}).Refusal(), HasSubstr("seeds: address \"nohost\""));
  EXPECT_THAT(FakeInvocation().Say({"--seeds-dns", "nohost"}).Refusal(), HasSubstr("seeds-dns"));
  EXPECT_THAT(FakeInvocation().Say({"--seeds-kubernetes", "a/b/c"}).Refusal(),
              HasSubstr("seeds-kubernetes: \"a/b/c\""));
  EXPECT_THAT(FakeInvocation().Say({"--request-timeout-ms", "70000"}).Refusal(), HasSubstr("request-timeout-max-ms"));
}

TEST(Config, SeveralFreePortsMayBeAskedFor) {
  EXPECT_EQ(FakeInvocation().Say({"--http-port", "0", "--pb-port", "0"}).Config().pb_port, 0);
}

TEST(Config, AWildcardListenerAdvertisesWhatItIsTold) {
  const NodeConfig config =
      FakeInvocation().Say({"--listen-address", "::", "--advertise-address", "node-0.dynamo"}).Config();
  EXPECT_EQ(config.advertise_address, "node-0.dynamo");
  EXPECT_EQ(config.name, "dynamo@node-0.dynamo");
}

TEST(Config, TlsIsOffUntilItIsNamedAndWantsAFolder) {
  EXPECT_EQ(FakeInvocation().Config().tls_client.mode, TlsMode::kOff);
  const NodeConfig config =
      FakeInvocation().File("tls-peer: required\ntls-peer-folder: /tls\ntls-admin: off\n").Config();
  EXPECT_EQ(config.tls_peer.mode, TlsMode::kRequired);
  EXPECT_EQ(config.tls_peer.folder, "/tls");
  EXPECT_THAT(FakeInvocation().Say({"--tls-client", "optional"}).Refusal(),
              HasSubstr("tls-client wants tls-client-folder"));
  EXPECT_THAT(FakeInvocation().Say({"--tls-client", "yes"}).Refusal(), HasSubstr("off, optional, required"));
}

TEST(Config, UsersWantTlsOrASayThatPlaintextWillDo) {
  EXPECT_EQ(FakeInvocation().Config().auth_users_file, "");
  EXPECT_THAT(FakeInvocation().Say({"--auth-users-file", "/u"}).Refusal(),
              HasSubstr("auth-users-file wants tls-client"));
  EXPECT_TRUE(FakeInvocation().File("auth-users-file: /u\nauth-allow-plaintext: true\n").Config().auth_allow_plaintext);
  const NodeConfig config =
      FakeInvocation()
          .Say({"--auth-users-file", "/u", "--tls-client", "optional", "--tls-client-folder", "/t"})
          .Config();
  EXPECT_EQ(config.auth_users_file, "/u");
  EXPECT_FALSE(config.auth_allow_plaintext);
  EXPECT_THAT(FakeInvocation().Say({"--auth-allow-plaintext", "yes"}).Refusal(), HasSubstr("neither true nor false"));
}

}  // namespace
}  // namespace dynamo
