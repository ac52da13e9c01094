#include "common/tls/names.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

namespace dynamo {
namespace {

constexpr std::string_view kScheme = "dynamo://";
constexpr std::string_view kAdmin = "admin";

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// Of one kind, GEN_URI or GEN_DNS.
std::vector<std::string> AlternativeNames(const X509* certificate, int kind) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != kind) continue;
    const ASN1_IA5STRING* text = name->d.ia5;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return out;
}

// What came from outside and goes into a log line.
std::string Printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c == 0x7f || c == '"'; }, '?');
  return text;
}

}  // namespace

std::optional<ClusterName> ParseClusterName(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const size_t slash = uri.find('/');
  ClusterName name;
  name.cluster = uri.substr(0, slash);
  if (name.cluster.empty()) return std::nullopt;
  if (slash == std::string_view::npos) return name;
  const std::string_view who = uri.substr(slash + 1);
  if (who == kAdmin) {
    name.kind = ClusterName::Kind::kAdmin;
    return name;
  }
  const auto node = ParseNodeId(who);
  if (!node || !*node) return std::nullopt;
  name.kind = ClusterName::Kind::kNode;
  name.node = *node;
  return name;
}

std::string ToString(const ClusterName& name) {
  std::string text = std::string(kScheme) + name.cluster;
  if (name.kind == ClusterName::Kind::kNode) text += "/" + ToString(name.node);
  if (name.kind == ClusterName::Kind::kAdmin) text.append("/").append(kAdmin);
  return text;
}

std::vector<ClusterName> ClusterNamesOf(const X509* certificate) {
  std::vector<ClusterName> out;
  for (const std::string& uri : AlternativeNames(certificate, GEN_URI)) {
    if (auto name = ParseClusterName(uri)) out.push_back(std::move(*name));
  }
  return out;
}

std::string DescribeNames(const X509* certificate) {
  std::vector<std::string> names = AlternativeNames(certificate, GEN_URI);
  for (std::string& name : AlternativeNames(certificate, GEN_DNS)) names.push_back(std::move(name));
  if (names.empty()) {
    std::array<char, 256> subject{};
    X509_NAME_oneline(X509_get_subject_name(certificate), subject.data(), subject.size());
    names.emplace_back(subject.data());
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return Printable(std::move(text));
}

}  // namespace dynamo
