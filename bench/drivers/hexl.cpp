// The transforms of Intel HEXL, https://github.com/IntelLabs/hexl: forward and inverse, results below q.
#include <hexl/hexl.hpp>
#include <memory>

#include "driver.hpp"

namespace {

using intel::hexl::NTT;

// numbers: N, the count L of limbs, L primes, L roots. Each call takes the next limb, in place.
bench::Call make(const std::string& operation, const bench::Numbers& numbers) {
  const bool forward = operation == "ntt";
  if (!forward && operation != "intt") return {};
  const std::size_t n = numbers[0], limbs = numbers[1];
  const bench::Numbers moduli(numbers.begin() + 2, numbers.begin() + 2 + limbs);
  struct Limb {
    std::unique_ptr<NTT> transform;
    intel::hexl::AlignedVector64<std::uint64_t> row;
  };
  auto held = std::make_shared<std::vector<Limb>>();
  const auto rows = bench::random_rows(moduli, n);
  for (std::size_t i = 0; i < limbs; ++i) {
    held->push_back({std::make_unique<NTT>(n, moduli[i], numbers[2 + limbs + i]), {rows[i].begin(), rows[i].end()}});
  }
  return [held, forward, i = std::size_t{0}]() mutable {
    Limb& limb = (*held)[i];
    i = i + 1 == held->size() ? 0 : i + 1;
    forward ? limb.transform->ComputeForward(limb.row.data(), limb.row.data(), 1, 1)
            : limb.transform->ComputeInverse(limb.row.data(), limb.row.data(), 1, 1);
  };
}

}  // namespace

int main() {
  return bench::serve(make, [] { return std::string(R"({"library": "HEXL"})"); });
}
