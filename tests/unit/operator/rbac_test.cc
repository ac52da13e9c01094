// The operator's rights: whatever it asks for is granted, whatever is granted is asked for,
// and without any one of the rules something breaks that says its name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Right = std::pair<std::string, std::string>;  // "pods", "delete".

struct Rule {
  std::set<std::string> resources, verbs;
  bool Grants(const Right& right) const { return resources.contains(right.first) && verbs.contains(right.second); }
};

std::set<std::string> ListOf(const std::string& text) {
  std::set<std::string> out;
  std::istringstream in(std::regex_replace(text, std::regex("[,\"]"), " "));
  for (std::string word; in >> word;) out.insert(word);
  return out;
}

// Of the operator's own roles, but for the Lease: that is the elector's.
std::vector<Rule> RulesOfTheManifest() {
  std::ifstream file(DYNAMO_TREE "/manifests/rbac/rbac.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  std::vector<Rule> rules;
  const std::regex rule(R"(resources: \[(.*)\]\n\s*verbs: \[(.*)\])");
  for (std::sregex_iterator it(all.begin(), all.end(), rule), end; it != end; ++it) {
    if ((*it)[1] != "leases") rules.push_back({ListOf((*it)[1]), ListOf((*it)[2])});
  }
  return rules;
}

Right RightOf(const std::string& method, const std::string& path) {
  // What kinds there are is told to everybody.
  if (testing::IsDiscovery(path)) return {"kinds", "get"};
  const auto parsed = testing::ObjectPath::Parse(path);
  if (!parsed) return {"?", method};
  const std::string resource =
      parsed->subresource.empty() ? parsed->plural : parsed->plural + "/" + parsed->subresource;
  static const std::map<std::string, std::string> verbs = {
      {"POST", "create"}, {"PATCH", "patch"}, {"DELETE", "delete"}};
  const auto verb = verbs.find(method);
  if (verb != verbs.end()) return {resource, verb->second};
  return {resource, parsed->name.empty() ? "list" : "get"};
}

// Everything that the operator does for a cluster, one after the other, whether it succeeds or not.
void LiveALife(World& world) {
  world.InstallPrometheusOperator();
  world.InstallCertManager();
  const kube::Object tls{{"peers", "CertManager"}, {"clients", "Optional"}, {"issuerRef", {{"name", "shop-ca"}}}};
  world.Apply(
      {{"replacement", {{"failureDetectionDelay", "40s"}}}, {"monitoring", {{"podMonitor", true}}}, {"tls", tls}});
  const auto settle = [&world] { world.RunUntilReady(25); };
  settle();
  world.ScaleTo(4);
  settle();
  world.ScaleTo(3);
  settle();
  world.LoseVolume("demo-b-0");
  world.Act();
  settle();
  // Kubernetes has not removed the machine's pod yet.
  world.PowerOff("demo-c-0");
  world.api.Do("DELETE", "/api/v1/nodes/" + world.MachineAt("demo-c-0"));
  world.Act();
  for (int i = 0; i < 25 && world.EventsOf("ReplacementCompleted") < 2; ++i) world.Pass(), world.Act();
  settle();
  world.Apply({{"version", "1.1.0"}});
  settle();
  world.Apply({{"storage", {{"size", "20Gi"}}}});
  settle();
  world.Apply({{"networkPolicy", {{"enabled", false}}},
               {"disruptionBudget", {{"enabled", false}}},
               {"monitoring", {{"podMonitor", false}}},
               {"tls", {{"clients", "Disabled"}}}});
  settle();
  world.ScaleTo(4);  // Its events are those of before, once more.
  settle();
}

std::set<Right> AskedFor() {
  World world;
  LiveALife(world);
  EXPECT_THAT(world.violations(), IsEmpty());
  std::set<Right> asked;
  for (const std::string& request : world.api.requests()) {
    const size_t space = request.find(' ');
    asked.insert(RightOf(request.substr(0, space), request.substr(space + 1)));
  }
  return asked;
}

TEST(Rbac, GrantsWhatIsAskedForAndNothingElse) {
  const auto rules = RulesOfTheManifest();
  ASSERT_GT(rules.size(), 12u);
  const std::set<Right> asked = AskedFor();
  for (const Right& right : asked) {
    if (right.first == "kinds") continue;
    const bool granted = std::ranges::any_of(rules, [&](const Rule& rule) { return rule.Grants(right); });
    EXPECT_TRUE(granted) << right.second << " " << right.first;
  }
  // The informers' share; who applies what is not there creates it; owner references with
  // blockOwnerDeletion; and what the nodes' own role grants, which nobody gives who lacks it.
  const std::set<Right> others = {{"dynamoclusters", "list"}, {"dynamoclusters", "watch"},
                                  {"statefulsets", "list"},   {"statefulsets", "watch"},
                                  {"pods", "watch"},          {"dynamoclusters/finalizers", "update"},
                                  {"endpointslices", "get"},  {"endpointslices", "list"}};
  for (const Rule& rule : rules) {
    for (const std::string& resource : rule.resources) {
      for (const std::string& verb : rule.verbs) {
        const bool applied = verb == "create" && asked.contains({resource, "patch"});
        EXPECT_TRUE(asked.contains({resource, verb}) || others.contains({resource, verb}) || applied)
            << "granted, and never asked for: " << verb << " " << resource;
      }
    }
  }
}

TEST(Rbac, WithoutAnyOfItsRulesSomethingBreaksThatIsNamed) {
  const std::set<Right> asked = AskedFor();
  int removed = 0;
  for (const Rule& rule : RulesOfTheManifest()) {
    if (std::ranges::none_of(asked, [&](const Right& right) { return rule.Grants(right); })) continue;
    World world;
    world.api.set_intercept([&rule](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
      const Right right = RightOf(request.method, request.path);
      if (!rule.Grants(right)) return std::nullopt;
      return testing::FakeReply{
          403,
          R"({"kind":"Status","reason":"Forbidden","message":"no right to )" + right.second + " " + right.first + "\"}",
          {}};
    });
    LiveALife(world);
    EXPECT_THAT(world.violations(), IsEmpty());
    std::vector<std::string> named;
    for (const std::string& resource : rule.resources) {
      const auto lines = world.log_lines();
      const bool said = std::ranges::any_of(lines, [&](const std::string& line) {
        return line.find("no right to ") != std::string::npos && line.find(resource) != std::string::npos;
      });
      if (said) named.push_back(resource);
    }
    EXPECT_FALSE(named.empty()) << "nobody missed " << *rule.resources.begin();
    ++removed;
  }
  std::printf("%d rules removed one by one, and each was missed by its name\n", removed);
  EXPECT_GE(removed, 11);
}

TEST(Rbac, WhatIsMissedIsAConditionOfTheResource) {
  World world;
  world.api.set_intercept([](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
    if (RightOf(request.method, request.path) != Right("pods", "delete")) return std::nullopt;
    return testing::FakeReply{403, R"({"kind":"Status","reason":"Forbidden","message":"no right to delete pods"})", {}};
  });
  ASSERT_TRUE(world.RunUntilReady());
  world.Apply({{"version", "1.1.0"}});
  EXPECT_FALSE(world.RunUntilReady(10));
  const auto degraded = kube::Conditions::FromStatus(world.Cluster());
  EXPECT_EQ(degraded.Get("Degraded")->reason, "PermissionMissing");
  EXPECT_THAT(degraded.Get("Degraded")->message, HasSubstr("delete pods"));
}

}  // namespace
}  // namespace dynamo::op
