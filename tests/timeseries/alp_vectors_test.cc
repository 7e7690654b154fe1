// Doubles of many origins, each set by every codec for doubles.
//
// usage: alp_vectors_test DIRECTORY; $BRAID_SHARED/data/alp_vectors goes before it. Exit code 77: not there.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/timeseries/codec_checks.h"
#include "timeseries/point_block.h"

namespace braid {
namespace {

std::string g_directory;

std::vector<double> values_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<double> out;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) out.push_back(std::strtod(line.c_str(), nullptr));
  }
  return out;
}

TEST_CASE("doubles of every set come back from every codec, and most sets get smaller") {
  size_t sets = 0;
  size_t smaller = 0;
  for (const auto& entry : std::filesystem::directory_iterator(g_directory)) {
    if (entry.path().extension() != ".csv") continue;
    const std::vector<double> values = values_of(entry.path());
    CAPTURE(entry.path().string());
    REQUIRE_FALSE(values.empty());
    size_t bytes = 0;
    for (size_t start = 0; start < values.size(); start += kBlockRowsMax) {
      const auto block = std::span(values).subspan(start, std::min(kBlockRowsMax, values.size() - start));
      check_doubles(block);
      std::string out;
      encode_doubles(block, out);
      bytes += out.size();
    }
    ++sets;
    if (bytes < values.size() * 6) ++smaller;
  }
  CHECK(sets > 0);
  CHECK(smaller * 4 > sets * 3);
}

}  // namespace
}  // namespace braid

int main(int argc, char** argv) {
  const char* shared = std::getenv("BRAID_SHARED");
  braid::g_directory = shared != nullptr ? std::string(shared) + "/data/alp_vectors" : argc > 1 ? argv[1] : "";
  if (!std::filesystem::is_directory(braid::g_directory)) {
    std::cout << "skipped: there is no directory " << braid::g_directory << " (BRAID_SHARED names the place)\n";
    return 77;
  }
  return doctest::Context().run();
}
