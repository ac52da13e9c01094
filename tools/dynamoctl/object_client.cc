#include "tools/dynamoctl/object_client.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/admin/http_client.h"

namespace dynamo::ctl {
namespace {

std::string Encode(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("-_.~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string PathOf(const ObjectName& name, const ObjectClient::Query& query) {
  std::string path =
      fmt::format("/types/{}/buckets/{}/keys/{}", Encode(name.type), Encode(name.bucket), Encode(name.key));
  char separator = '?';
  for (const auto& [key, value] : query) {
    path += fmt::format("{}{}={}", separator, Encode(key), Encode(value));
    separator = '&';
  }
  return path;
}

std::string_view TrimNewline(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

httplib::Headers WithContext(const std::string& context) {
  httplib::Headers headers;
  if (!context.empty()) headers.emplace("X-Riak-Vclock", context);
  return headers;
}

// "Name: value" lines up to the empty one.
Value ParsePart(std::string_view part) {
  Value value;
  for (;;) {
    const size_t end = part.find("\r\n");
    if (end == 0 || end == std::string_view::npos) {
      value.data = end == 0 ? part.substr(2) : "";
      return value;
    }
    const std::string_view line = part.substr(0, end);
    part.remove_prefix(end + 2);
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    if (name == "Content-Type") value.content_type = line.substr(colon + 2);
    if (name == "X-Riak-Deleted") value.deleted = true;
  }
}

}  // namespace

Result<ObjectName> ParseObjectName(std::string_view text) {
  const size_t first = text.find('/');
  const size_t second = first == std::string_view::npos ? first : text.find('/', first + 1);
  ObjectName name;
  if (second != std::string_view::npos) {
    name.type = text.substr(0, first);
    name.bucket = text.substr(first + 1, second - first - 1);
    name.key = text.substr(second + 1);
  }
  if (name.type.empty() || name.bucket.empty() || name.key.empty()) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("'{}' names no object: want TYPE/BUCKET/KEY, for example siblings/carts/ann", text));
  }
  return name;
}

std::string BoundaryOf(const std::string& content_type) {
  constexpr std::string_view kMark = "boundary=";
  const size_t at = content_type.find(kMark);
  return at == std::string::npos ? "" : content_type.substr(at + kMark.size());
}

Result<std::vector<Value>> ParseMultipart(std::string_view body, std::string_view boundary) {
  const std::string mark = fmt::format("\r\n--{}", boundary);
  std::vector<Value> out;
  size_t at = body.find(mark);
  while (at != std::string_view::npos) {
    const size_t begin = at + mark.size();
    if (body.substr(begin, 2) == "--") return out;
    const size_t end = body.find(mark, begin);
    if (body.substr(begin, 2) != "\r\n" || end == std::string_view::npos) break;
    out.push_back(ParsePart(body.substr(begin + 2, end - begin - 2)));
    at = end;
  }
  return Fail(Errc::kCorrupt, "the server's multipart answer is malformed");
}

struct ObjectClient::State {
  std::string endpoint;
  std::unique_ptr<httplib::Client> http;

  explicit State(const admin::Endpoint& where)
      : endpoint(admin::WithScheme(where.url)), http(admin::MakeHttpClient(where)) {
    http->set_read_timeout(std::chrono::seconds(70));
  }

  // The answer if its status is among `good`.
  Result<httplib::Response> Check(const httplib::Result& result, std::initializer_list<int> good) const {
    if (!result) {
      const bool late = result.error() == httplib::Error::Read;
      return Fail(late ? Errc::kTimeout : Errc::kUnavailable,
                  fmt::format("no answer from the node at {}: {}; is it running? (choose another with --http)",
                              endpoint, to_string(result.error())));
    }
    if (std::find(good.begin(), good.end(), result->status) == good.end()) {
      return Fail(admin::CodeOf(result->status), std::string(TrimNewline(result->body)));
    }
    return *result;
  }
};

ObjectClient::ObjectClient(const admin::Endpoint& endpoint) : state_(std::make_unique<State>(endpoint)) {}
ObjectClient::~ObjectClient() = default;

Result<Found> ObjectClient::Get(const ObjectName& name, const Query& query) {
  const auto response = state_->Check(
      state_->http->Get(PathOf(name, query), httplib::Headers{{"Accept", "multipart/mixed, */*"}}), {200, 300, 404});
  if (!response) return Fail(response.error());
  if (response->status == 404 && TrimNewline(response->body) != "not found") {
    return Fail(Errc::kNotFound, std::string(TrimNewline(response->body)));
  }
  Found found;
  found.context = response->get_header_value("X-Riak-Vclock");
  found.coordinator = response->get_header_value("X-Dynamo-Coordinator");
  const std::string type = response->get_header_value("Content-Type");
  if (response->status == 200) found.values.push_back({type, response->body, false});
  if (response->status == 300) {
    auto values = ParseMultipart(response->body, BoundaryOf(type));
    if (!values) return Fail(values.error());
    found.values = std::move(*values);
  }
  return found;
}

Result<std::string> ObjectClient::Put(const ObjectName& name, const std::string& data, const std::string& content_type,
                                      const std::string& context, const Query& query) {
  const auto response =
      state_->Check(state_->http->Put(PathOf(name, query), WithContext(context), data, content_type.c_str()), {204});
  if (!response) return Fail(response.error());
  return response->get_header_value("X-Riak-Vclock");
}

Status ObjectClient::Delete(const ObjectName& name, const std::string& context, const Query& query) {
  const auto response = state_->Check(state_->http->Delete(PathOf(name, query), WithContext(context)), {204});
  if (!response) return Fail(response.error());
  return {};
}

}  // namespace dynamo::ctl
