// What a run of chaos did and what came of it.
#ifndef DYNAMO_TESTS_CHAOS_REPORT_H_
#define DYNAMO_TESTS_CHAOS_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/cluster/load.h"

namespace dynamo::chaos {

struct Report {
  uint64_t seed = 0;
  std::string command;
  double chaos_seconds = 0;
  std::map<std::string, uint64_t> faults;       // Done, by kind.
  std::map<std::string, std::string> left_out;  // Kinds, and why.
  std::map<std::string, uint64_t> outcomes;     // How bad disks were met.

  cluster::LoadCounts counts;
  uint64_t keys = 0, writes_judged = 0, reads_judged = 0;
  double drained_seconds = 0;     // After the last heal: all nodes alive to each other, no hint at rest.
  uint64_t differing_first = 0;   // Keys whose replicas differed at the first look after that,
  uint64_t differing_second = 0;  // and after that look's reads had repaired.
  double equal_seconds = 0;       // After the last heal: end of the second look.
  std::vector<std::string> violations;

  uint64_t operations() const { return counts.reads() + counts.puts(); }
  uint64_t faults_total() const;
  // For people.
  std::string Text() const;
  std::string Json() const;
};

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_REPORT_H_
