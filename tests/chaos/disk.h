// A disk of a node's own: an ext4 image behind a loop device.
#ifndef DYNAMO_TESTS_CHAOS_DISK_H_
#define DYNAMO_TESTS_CHAOS_DISK_H_

#include <cstdint>
#include <string>
#include <utility>

#include "common/base/result.h"

namespace dynamo::chaos {

class Disk {
 public:
  // The image is a file, made by Make; the mount point a folder.
  Disk(std::string image, std::string mount_point) : image_(std::move(image)), mount_point_(std::move(mount_point)) {}

  Status Make(uint64_t bytes);
  Status Mount();
  Status Unmount();
  // From now on nothing reaches the image: what was not synced is lost. Nobody can
  // use the disk until it was unmounted and mounted again.
  Status CutPower();
  // Takes all free space; gives it back.
  Status Fill();
  Status Free();

 private:
  std::string image_, mount_point_;
};

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_DISK_H_
