// Runs a fuzzer's function without libFuzzer: first every file of a corpus, then files of it with bytes changed, exchanged, cut and joined, for some
// seconds. It sees no branches; `./run fuzz` does.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kInputBytesMax = 8192;

std::vector<std::string> inputs_of(const char* corpus) {
  std::vector<std::string> inputs;
  if (!std::filesystem::is_directory(corpus)) return inputs;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream file(entry.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void run(const std::string& input) {
  // Safety: any object may be read as bytes.
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string changed(std::string input, const std::vector<std::string>& inputs, std::mt19937_64& random) {
  for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
    const size_t at = input.empty() ? 0 : random() % input.size();
    switch (random() % 6) {
      case 0:
      case 1:
        if (!input.empty()) input[at] = static_cast<char>(random());
        break;
      case 2: input.insert(at, 1 + random() % 8, static_cast<char>(random())); break;
      case 3: input.erase(at, 1 + random() % 8); break;
      case 4:
        if (!input.empty()) input[at] = static_cast<char>(input[at] ^ (1 << random() % 8));
        break;
      default: {
        const std::string& other = inputs[random() % inputs.size()];
        input = input.substr(0, at) + other.substr(other.empty() ? 0 : random() % other.size());
      }
    }
  }
  input.resize(std::min(input.size(), kInputBytesMax));
  return input;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s SECONDS CORPUS [SEED]\n", arguments[0]);
    return 2;
  }
  const std::chrono::duration<double> seconds(std::strtod(arguments[1], nullptr));
  const std::vector<std::string> inputs = inputs_of(arguments[2]);
  if (inputs.empty()) {
    std::fprintf(stderr, "%s: no inputs\n", arguments[2]);
    return 2;
  }
  std::mt19937_64 random(count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1);
  for (const std::string& input : inputs) run(input);
  uint64_t runs = inputs.size();
  for (const auto start = std::chrono::steady_clock::now(); std::chrono::steady_clock::now() - start < seconds; ++runs)
    run(changed(inputs[random() % inputs.size()], inputs, random));
  std::fprintf(stderr, "%llu inputs, %zu of them kept ones: no report\n", static_cast<unsigned long long>(runs), inputs.size());
  return 0;
}
