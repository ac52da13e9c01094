#include <gtest/gtest.h>
#include <httplib.h>

#include <string>
#include <vector>

#include "common/admin/http_client.h"
#include "tests/unit/tools/scripted_node.h"
#include "tools/dynamoctl/object_client.h"

namespace dynamo::ctl {
namespace {

TEST(Dynamoctl, WrongCommandLinesEndWithCodeTwo) {
  EXPECT_EQ(Ctl({}).code, 2);
  EXPECT_EQ(Ctl({"fly"}).code, 2);
  EXPECT_EQ(Ctl({"get"}).code, 2);
  EXPECT_EQ(Ctl({"status", "-o", "xml"}).code, 2);
  const Outcome no_object = Ctl({"get", "just-a-key"});
  EXPECT_EQ(no_object.code, 2);
  EXPECT_NE(no_object.err.find("TYPE/BUCKET/KEY"), std::string::npos);
  EXPECT_EQ(Ctl({"cluster", "create", "--members", "no-port"}).code, 2);
  EXPECT_EQ(Ctl({"--help"}).code, 0);
}

TEST(Dynamoctl, ANodeThatIsAwayIsNamed) {
  std::string endpoint;
  {
    const ScriptedNode gone;
    endpoint = gone.endpoint();
  }
  const Outcome status = Ctl({"status", "--admin", endpoint});
  EXPECT_EQ(status.code, 1);
  EXPECT_NE(status.err.find(endpoint), std::string::npos);
  EXPECT_EQ(Ctl({"get", "t/b/k", "--http", endpoint}).code, 1);
}

TEST(Dynamoctl, GetPrintsOneValueSiblingsOrThatThereIsNone) {
  ScriptedNode node;
  node.server.Get("/types/siblings/buckets/b/keys/one",
                  [](const httplib::Request& request, httplib::Response& response) {
                    EXPECT_EQ(request.get_param_value("r"), "all");
                    response.set_header("X-Riak-Vclock", "ctx");
                    response.set_content("hello", "text/plain");
                  });
  node.server.Get("/types/siblings/buckets/b/keys/two", [](const httplib::Request&, httplib::Response& response) {
    response.status = 300;
    response.set_header("X-Riak-Vclock", "ctx");
    response.set_content(
        "\r\n--B\r\nContent-Type: text/plain\r\n\r\na\r\n--B\r\nX-Riak-Deleted: true\r\n\r\n\r\n--B--\r\n",
        "multipart/mixed; boundary=B");
  });
  node.server.Get("/types/siblings/buckets/b/keys/none", [](const httplib::Request&, httplib::Response& response) {
    response.status = 404;
    response.set_content("not found\n", "text/plain");
  });
  const std::string http = node.endpoint();
  EXPECT_EQ(Ctl({"get", "siblings/b/one", "--http", http, "--r", "all"}).out, "hello\ncontext: ctx\n");
  EXPECT_EQ(Ctl({"get", "siblings/b/two", "--http", http}).out, "2 siblings:\n  a\n  (deleted)\ncontext: ctx\n");
  const Outcome none = Ctl({"get", "siblings/b/none", "--http", http});
  EXPECT_EQ(none.code, 1);
  EXPECT_EQ(none.err, "dynamoctl: siblings/b/none: not found\n");
  EXPECT_NE(Ctl({"get", "siblings/b/two", "--http", http, "-o", "json"}).out.find("\"deleted\":true"),
            std::string::npos);
}

TEST(Dynamoctl, PutSendsTheValueAndItsContext) {
  ScriptedNode node;
  std::string body, context;
  node.server.Put(R"(/types/t/buckets/b/keys/.*)", [&](const httplib::Request& request, httplib::Response& response) {
    body = request.body;
    context = request.get_header_value("X-Riak-Vclock");
    response.status = 204;
  });
  EXPECT_EQ(Ctl({"put", "t/b/a/b", "-", "--context", "ctx", "--http", node.endpoint()}, "from stdin").code, 0);
  EXPECT_EQ(body, "from stdin");
  EXPECT_EQ(context, "ctx");
}

TEST(Dynamoctl, CreateSendsTheWholeListOnceUnderOneName) {
  ScriptedNode node;
  std::vector<std::string> paths, bodies;
  node.server.Put(R"(/operations/.*)", [&](const httplib::Request& request, httplib::Response& response) {
    paths.push_back(request.path);
    bodies.push_back(request.body);
    response.set_content(R"({"id":"x","type":"create","state":"done","message":"m","clusterID":"c"})",
                         "application/json");
  });
  const std::vector<std::string> command{"cluster",      "create", "--members", "127.0.0.1:1=z1:2,127.0.0.2:1",
                                         "--partitions", "64",     "--admin",   node.endpoint()};
  EXPECT_EQ(Ctl(command).out, "Created cluster c: m\n");
  EXPECT_EQ(Ctl(command).code, 0);
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_EQ(paths[0], paths[1]);
  EXPECT_NE(bodies[0].find(R"("peerAddress":"127.0.0.1:1","zone":"z1","capacity":2)"), std::string::npos) << bodies[0];
}

TEST(Dynamoctl, TypeCreateAsksAtTheEpochItSeesUnderANameOfItsWords) {
  ScriptedNode node;
  std::vector<std::string> paths, bodies;
  uint64_t epoch = 7;
  node.server.Get("/topology", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content("{\"epoch\":" + std::to_string(epoch++) + "}", "application/json");
  });
  node.server.Put(R"(/operations/.*)", [&](const httplib::Request& request, httplib::Response& response) {
    paths.push_back(request.path);
    bodies.push_back(request.body);
    response.set_content(R"({"id":"x","type":"create-bucket-type","state":"done","message":"m","epoch":8})",
                         "application/json");
  });
  const std::vector<std::string> command{"type", "create",       "carts",  "--policy", "lww",          "--n",
                                         "2",    "--durability", "memory", "--admin",  node.endpoint()};
  EXPECT_EQ(Ctl(command).out, "Created m\n");
  EXPECT_EQ(Ctl(command).code, 0);
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_EQ(paths[0], paths[1]);
  EXPECT_NE(bodies[0].find(R"("name":"carts","policy":"lww","durability":"memory","nVal":2,"epoch":7)"),
            std::string::npos)
      << bodies[0];
  EXPECT_NE(bodies[1].find(R"("epoch":8)"), std::string::npos) << bodies[1];
  EXPECT_NE(Ctl({"type", "create", "carts", "-o", "json", "--admin", node.endpoint()}).out.find(R"("epoch":8)"),
            std::string::npos);
  EXPECT_EQ(Ctl({"type", "create", "carts", "--policy", "first", "--admin", node.endpoint()}).code, 2);
}

TEST(Dynamoctl, TypeListShowsWhatTheTopologyHas) {
  ScriptedNode node;
  node.server.Get("/topology", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content(R"({"epoch":7,"types":[{"name":"carts","policy":"siblings","durability":"sync","nVal":3}]})",
                         "application/json");
  });
  const Outcome text = Ctl({"type", "list", "--admin", node.endpoint()});
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.out.find("carts  siblings  3  sync"), std::string::npos) << text.out;
  const Outcome json = Ctl({"type", "list", "-o", "json", "--admin", node.endpoint()});
  EXPECT_EQ(json.out, R"({"epoch":7,"types":[{"name":"carts","policy":"siblings","durability":"sync","nVal":3}]})"
                      "\n");
}

TEST(Dynamoctl, WhatTheNodeRefusesIsSaidInItsWords) {
  ScriptedNode node;
  node.server.Put(R"(/operations/.*)", [](const httplib::Request&, httplib::Response& response) {
    response.status = 409;
    response.set_content(R"({"error":"node at 127.0.0.2:1 is not empty","code":"already_exists"})", "application/json");
  });
  const Outcome refused = Ctl({"cluster", "create", "--members", "127.0.0.2:1", "--admin", node.endpoint()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.err, "dynamoctl: node at 127.0.0.2:1 is not empty\n");
}

TEST(Dynamoctl, RepairIsFollowedToItsEnd) {
  ScriptedNode node;
  std::string body, id;
  node.server.Put(R"(/operations/(.*))", [&](const httplib::Request& request, httplib::Response& response) {
    body = request.body;
    id = request.matches[1].str();
    response.set_content(R"({"id":")" + id + R"(","type":"repair","state":"running","exchanges":4})",
                         "application/json");
  });
  int asked = 0;
  node.server.Get(R"(/operations/(.*))", [&](const httplib::Request& request, httplib::Response& response) {
    EXPECT_EQ(request.matches[1].str(), id);
    const char* state = ++asked < 2 ? "running" : "done";
    response.set_content(R"({"id":")" + id + R"(","type":"repair","exchanges":4,"exchangesDone":)" +
                             std::to_string(2 * asked) + R"(,"leavesDiffering":3,"keysRepaired":17,"state":")" + state +
                             R"("})",
                         "application/json");
  });
  const Outcome waited = Ctl({"repair", "--partition", "5", "--wait", "--admin", node.endpoint()});
  EXPECT_EQ(waited.code, 0) << waited.err;
  EXPECT_NE(body.find(R"("partition":5)"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("type":"repair")"), std::string::npos) << body;
  EXPECT_NE(waited.out.find("running: 2 of 4 exchanges"), std::string::npos) << waited.out;
  EXPECT_NE(waited.out.find("done: 4 of 4 exchanges, 3 leaves differed, 17 keys repaired"), std::string::npos);
  const std::string first = id;
  asked = 0;
  const Outcome json = Ctl({"repair", "--wait", "-o", "json", "--admin", node.endpoint()});
  EXPECT_EQ(json.out.find('\n'), json.out.size() - 1) << json.out;
  EXPECT_NE(json.out.find(R"("keysRepaired":17)"), std::string::npos) << json.out;
  // Each is a repair of its own.
  EXPECT_NE(id, first);
  EXPECT_NE(body.find(R"("partition":-1)"), std::string::npos) << body;
}

TEST(Dynamoctl, ARepairThatCouldNotCompareAllEndsWithAnError) {
  ScriptedNode node;
  node.server.Put(R"(/operations/mine)", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(R"({"id":"mine","type":"repair","state":"done","exchanges":4,"exchangesFailed":2})",
                         "application/json");
  });
  const Outcome part = Ctl({"repair", "--operation-id", "mine", "--wait", "--admin", node.endpoint()});
  EXPECT_EQ(part.code, 1);
  EXPECT_NE(part.err.find("not everything could be compared"), std::string::npos) << part.err;
  EXPECT_EQ(Ctl({"repair", "--partition", "-3", "--admin", node.endpoint()}).code, 2);
}

TEST(HttpClient, AnEndpointNeedsNoScheme) {
  EXPECT_EQ(admin::WithScheme("127.0.0.1:8098"), "http://127.0.0.1:8098");
  EXPECT_EQ(admin::WithScheme("https://node:8098"), "https://node:8098");
}

TEST(HttpClient, AStatusSaysWhatWasWrong) {
  EXPECT_EQ(admin::CodeOf(400), Errc::kInvalidArgument);
  EXPECT_EQ(admin::CodeOf(409), Errc::kConflict);
  EXPECT_EQ(admin::CodeOf(414), Errc::kTooLarge);
  EXPECT_EQ(admin::CodeOf(503), Errc::kUnavailable);
  EXPECT_EQ(admin::CodeOf(418), Errc::kInternal);
}

TEST(Multipart, CutBodiesAreRefused) {
  EXPECT_FALSE(ParseMultipart("", "B").has_value());
  EXPECT_FALSE(ParseMultipart("\r\n--B\r\n\r\na", "B").has_value());
  EXPECT_EQ(ParseMultipart("\r\n--B\r\n\r\na\r\n--B--\r\n", "B").value().at(0).data, "a");
}

TEST(Multipart, TheBoundaryIsTheContentTypesLastParameter) {
  EXPECT_EQ(BoundaryOf("multipart/mixed; boundary=AbC1"), "AbC1");
  EXPECT_EQ(BoundaryOf("text/plain"), "");
}

TEST(ObjectName, KeysMayHoldSlashes) {
  EXPECT_EQ(ParseObjectName("t/b/k/1").value().key, "k/1");
  for (const char* bad : {"", "t", "t/b", "t/b/", "/b/k", "t//k"})
    EXPECT_FALSE(ParseObjectName(bad).has_value()) << bad;
}

}  // namespace
}  // namespace dynamo::ctl
