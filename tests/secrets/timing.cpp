// Whether the time of an operation tells secrets apart: Welch's t of cycles between one secret and others, in random
// order. (O. Reparaz, J. Balasch, I. Verbauwhede: Dude, is my code constant time?, DATE 2017.)
//
//   timing TARGET SAMPLES       prints for each operation the t of all samples that are not the slowest tenth
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "operations.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
static std::uint64_t cycles() {
  unsigned core;
  _mm_lfence();
  const std::uint64_t now = __rdtscp(&core);
  _mm_lfence();
  return now;
}
#else
#include <chrono>
static std::uint64_t cycles() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}
#endif

using namespace fhe;

namespace {

// What an operation takes, in memory of its own.
struct Secret {
  explicit Secret(const Basis& q)
      : words(q.size() * uniform_words(q.ring_degree())), residues({}, q.size(), q.ring_degree()) {}

  // Of a seed, by the same steps whichever it is.
  void draw(const Basis& q, secrets::Operation::Takes takes, u64 seed) {
    std::mt19937_64 generator(seed);
    const bool small = takes == secrets::Operation::Takes::integers;
    for (u64& word : words) {
      const u64 drawn = generator();
      word = small ? drawn % 3 - 1 : drawn;
    }
    for (std::size_t limb = 0; limb < q.size(); ++limb)
      for (std::size_t k = 0; k < q.ring_degree(); ++k) residues.row(0, limb)[k] = generator() % q.modulus(limb).value;
  }

  std::vector<u64> words;
  Buffer residues;
};

double welch(std::vector<double> (&times)[2]) {
  std::vector<double> all(times[0]);
  all.insert(all.end(), times[1].begin(), times[1].end());
  const auto limit = all.begin() + static_cast<std::ptrdiff_t>(all.size() * 9 / 10);
  std::nth_element(all.begin(), limit, all.end());
  double mean[2], error[2];
  for (int side = 0; side < 2; ++side) {
    double count = 0, sum = 0, squares = 0;
    for (const double time : times[side])
      if (time <= *limit) count += 1, sum += time;
    mean[side] = sum / count;
    for (const double time : times[side])
      if (time <= *limit) squares += (time - mean[side]) * (time - mean[side]);
    error[side] = squares / (count - 1) / count;
  }
  return (mean[0] - mean[1]) / std::sqrt(error[0] + error[1] + 1e-12);
}

}  // namespace

int main(int, char** arguments) {
  const Basis& q = secrets::basis(arguments[1]);
  const secrets::Operations all = secrets::operations();
  for (const auto& [name, operation] : all) {
    Secret secret(q);
    std::vector<double> times[2];
    std::mt19937_64 order(1);
    for (long sample = -50; sample < std::atol(arguments[2]); ++sample) {
      const u64 chosen = order() % 2, another = order();
      secret.draw(q, operation.takes, chosen == 0 ? 7 : another);  // class 0: always the same, class 1: another one
      const std::uint64_t start = cycles();
      operation.run(q, secret.words, secret.residues);
      const std::uint64_t end = cycles();
      if (sample >= 0) times[chosen].push_back(static_cast<double>(end - start));
    }
    std::printf("%s %.2f\n", name.c_str(), welch(times));
  }
}
