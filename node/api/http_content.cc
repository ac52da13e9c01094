#include "node/api/http_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <chrono>
#include <map>
#include <optional>

#include "common/base/hash.h"
#include "node/api/http_route.h"

namespace dynamo {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kMetaPrefix = "X-Riak-Meta-";
constexpr std::string_view kIndexPrefix = "X-Riak-Index-";

std::optional<std::string> AfterPrefix(std::string_view name, std::string_view prefix) {
  if (name.size() <= prefix.size() || !boost::beast::iequals(name.substr(0, prefix.size()), prefix)) {
    return std::nullopt;
  }
  return std::string(name.substr(prefix.size()));
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "text/plain; charset=utf-8" -> the type and the charset.
void SplitContentType(std::string_view header, Content* content) {
  const size_t semicolon = header.find(';');
  content->content_type = Trim(header.substr(0, semicolon));
  if (semicolon == std::string_view::npos) return;
  const std::string_view parameters = Trim(header.substr(semicolon + 1));
  static constexpr std::string_view kCharset = "charset=";
  if (parameters.size() > kCharset.size() && boost::beast::iequals(parameters.substr(0, kCharset.size()), kCharset) &&
      parameters.find(';') == std::string_view::npos) {
    content->charset = parameters.substr(kCharset.size());
  } else {
    // Other parameters belong to the type: keep it as it came.
    content->content_type = Trim(header);
  }
}

// Reads `</path>; riaktag="tag"` off the front of `rest`.
Result<std::optional<Content::Link>> TakeLink(std::string_view* rest) {
  const auto malformed = [] {
    return Fail(Errc::kInvalidArgument, "malformed Link header: want </buckets/B/keys/K>; riaktag=\"T\", ...");
  };
  *rest = Trim(*rest);
  const size_t close = rest->find('>');
  if (!rest->starts_with('<') || close == std::string_view::npos) return malformed();
  const auto route = ParseTarget(rest->substr(1, close - 1));
  if (!route) return Fail(route.error());
  rest->remove_prefix(close + 1);
  size_t end = 0;
  for (bool quoted = false; end < rest->size() && (quoted || (*rest)[end] != ','); ++end) {
    if ((*rest)[end] == '"') quoted = !quoted;
  }
  const std::string_view parameters = rest->substr(0, end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  static constexpr std::string_view kTag = "riaktag=\"";
  const size_t tag = parameters.find(kTag);
  if (route->kind != HttpRoute::Kind::kObject || tag == std::string_view::npos) return std::nullopt;
  const std::string_view value = parameters.substr(tag + kTag.size());
  const size_t quote = value.find('"');
  if (quote == std::string_view::npos) return malformed();
  auto name = PercentDecode(value.substr(0, quote), /*plus_is_space=*/false);
  if (!name) return Fail(name.error());
  return Content::Link{route->key.bucket, route->key.key, *name};
}

std::string LinkHeader(const Sibling& sibling, const ObjectKey& key) {
  const std::string type = key.type == "default" ? "" : "/types/" + PercentEncode(key.type);
  std::string out = type + "/buckets/" + PercentEncode(key.bucket);
  out = "<" + out + ">; rel=\"up\"";
  for (const Content::Link& link : sibling.content.links) {
    out += fmt::format(", </buckets/{}/keys/{}>; riaktag=\"{}\"", PercentEncode(link.bucket), PercentEncode(link.key),
                       PercentEncode(link.tag));
  }
  return out;
}

void AppendMetadata(const Content& content, HeaderList* out) {
  for (const auto& [name, value] : content.user_metadata) {
    const bool prefixed = AfterPrefix(name, kMetaPrefix).has_value();
    out->emplace_back(prefixed ? name : std::string(kMetaPrefix) + name, value);
  }
  std::map<std::string, std::string> by_field;
  for (const auto& [field, value] : content.indexes) {
    std::string& joined = by_field[field];
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  for (const auto& [field, values] : by_field) out->emplace_back(std::string(kIndexPrefix) + field, values);
}

}  // namespace

Result<std::vector<Content::Link>> ParseLinks(std::string_view header) {
  std::vector<Content::Link> out;
  while (!Trim(header).empty()) {
    auto link = TakeLink(&header);
    if (!link) return Fail(link.error());
    if (*link) out.push_back(std::move(**link));
  }
  return out;
}

Result<Content> ContentFromHttp(HttpRequest request) {
  Content content;
  const auto type = request.find(http::field::content_type);
  if (type == request.end() || type->value().empty()) {
    return Fail(Errc::kInvalidArgument, "Missing Content-Type request header");
  }
  SplitContentType(type->value(), &content);
  content.content_encoding = request[http::field::content_encoding];
  for (const auto& field : request) {
    const std::string_view name = field.name_string();
    if (auto meta = AfterPrefix(name, kMetaPrefix)) {
      content.user_metadata.emplace_back(std::move(*meta), std::string(field.value()));
    } else if (auto index = AfterPrefix(name, kIndexPrefix)) {
      std::string_view values = field.value();
      while (!values.empty()) {
        const size_t comma = values.find(',');
        content.indexes.emplace_back(*index, std::string(Trim(values.substr(0, comma))));
        values.remove_prefix(comma == std::string_view::npos ? values.size() : comma + 1);
      }
    } else if (field.name() == http::field::link) {
      auto links = ParseLinks(field.value());
      if (!links) return Fail(links.error());
      content.links.insert(content.links.end(), links->begin(), links->end());
    }
  }
  content.value = std::move(request.body());
  return content;
}

HeaderList HeadersOf(const Sibling& sibling, const ObjectKey& key) {
  const Content& content = sibling.content;
  HeaderList out;
  std::string type = content.content_type.empty() ? "application/octet-stream" : content.content_type;
  if (!content.charset.empty()) type += "; charset=" + content.charset;
  out.emplace_back("Content-Type", std::move(type));
  if (!content.content_encoding.empty()) out.emplace_back("Content-Encoding", content.content_encoding);
  out.emplace_back("ETag", '"' + EntityTagOf(sibling) + '"');
  out.emplace_back("Last-Modified", HttpDate(sibling.last_modified_us));
  out.emplace_back("Link", LinkHeader(sibling, key));
  if (sibling.tombstone) out.emplace_back("X-Riak-Deleted", "true");
  AppendMetadata(content, &out);
  return out;
}

std::string HttpDate(WallMicros at) {
  using std::chrono::sys_seconds;
  const auto seconds = sys_seconds(std::chrono::seconds(at / 1'000'000));
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(seconds - day);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

std::string BoundaryFor(const std::vector<const Sibling*>& siblings) {
  for (uint64_t seed = 0;; ++seed) {
    std::string all;
    for (const Sibling* sibling : siblings) all += EntityTagOf(*sibling);
    std::string boundary = ToHex(HashOf(all, seed)).substr(0, 27);
    const bool clashes = std::any_of(siblings.begin(), siblings.end(), [&boundary](const Sibling* sibling) {
      return sibling->content.value.find(boundary) != std::string::npos;
    });
    if (!clashes) return boundary;
  }
}

std::string MultipartBody(const std::vector<const Sibling*>& siblings, const ObjectKey& key,
                          std::string_view boundary) {
  std::string out;
  for (const Sibling* sibling : siblings) {
    out += fmt::format("\r\n--{}\r\n", boundary);
    // Through a response, so that no stored byte can break out of its header.
    HttpResponse part;
    for (const auto& [name, value] : HeadersOf(*sibling, key)) SetHeader(part, name, value);
    for (const auto& field : part) {
      out += fmt::format("{}: {}\r\n", std::string_view(field.name_string()), std::string_view(field.value()));
    }
    out += "\r\n";
    out += sibling->content.value;
  }
  out += fmt::format("\r\n--{}--\r\n", boundary);
  return out;
}

}  // namespace dynamo
