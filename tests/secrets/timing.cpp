// Whether the time of an operation tells secrets apart: Welch's t of cycles between one secret and others, in random
// order. (O. Reparaz, J. Balasch, I. Verbauwhede: Dude, is my code constant time?, DATE 2017.)
//
//   timing TARGET SAMPLES       prints for each operation t of a fixed secret, of zeros, and of other random ones
//
// Secrets are drawn ahead, a batch of them, and copied to one place before they are used: who draws just before it
// measures sees what branch predictors learnt of the generator, which repeats itself where the secret does.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "operations.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
static std::uint64_t cycles() {
  unsigned core;
  _mm_mfence();
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

constexpr long kBatch = 32;
constexpr std::array<double, 5> kKept{0.5, 0.75, 0.9, 0.97, 1.0};  // shares of the fastest samples

enum class Against { fixed, zeros, random };

// What an operation takes, in memory of its own.
struct Secret {
  explicit Secret(const Basis& q)
      : words(q.size() * uniform_words(q.ring_degree())), residues({}, q.size(), q.ring_degree()) {}

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

  void clear() {
    std::fill(words.begin(), words.end(), 0);
    std::memset(residues.row(0, 0), 0, 8 * residues.words());
  }

  void take(const Secret& other) {
    std::memcpy(words.data(), other.words.data(), 8 * words.size());
    std::memcpy(residues.row(0, 0), other.residues.row(0, 0), 8 * residues.words());
  }

  std::vector<u64> words;
  Buffer residues;
};

using Times = std::array<std::vector<double>, 2>;

double welch(const Times& times, double limit) {
  double mean[2], error[2];
  for (int side = 0; side < 2; ++side) {
    double count = 0, sum = 0, squares = 0;
    for (const double time : times[side])
      if (time <= limit) count += 1, sum += time;
    mean[side] = sum / count;
    for (const double time : times[side])
      if (time <= limit) squares += (time - mean[side]) * (time - mean[side]);
    error[side] = squares / (count - 1) / count;
  }
  return (mean[0] - mean[1]) / std::sqrt(error[0] + error[1] + 1e-12);
}

// The t that is furthest from zero, of all samples and of the fastest: what interrupts them is not the operation's.
double furthest(const Times& times) {
  std::vector<double> all(times[0]);
  all.insert(all.end(), times[1].begin(), times[1].end());
  std::sort(all.begin(), all.end());
  double found = 0;
  for (const double kept : kKept) {
    const double t = welch(times, all[static_cast<std::size_t>(static_cast<double>(all.size() - 1) * kept)]);
    if (std::abs(t) > std::abs(found)) found = t;
  }
  return found;
}

// Cycles of an operation, class 0 on one secret (or on random ones, as a control) and class 1 on random ones.
Times measured(const Basis& q, const secrets::Operation& operation, Against against, long samples) {
  std::vector<Secret> batch;
  for (long k = 0; k < kBatch; ++k) batch.emplace_back(q);
  Secret secret(q);
  Times times;
  std::mt19937_64 order(1 + static_cast<u64>(against));
  std::array<u64, kBatch> chosen{};
  for (long done = -2 * kBatch; done < samples; done += kBatch) {
    for (long k = 0; k < kBatch; ++k) {
      const u64 another = order();
      chosen[k] = order() % 2;
      const bool special = chosen[k] == 0 && against != Against::random;
      batch[k].draw(q, operation.takes, special ? 7 : another);
      if (special && against == Against::zeros) batch[k].clear();
    }
    for (long k = 0; k < kBatch; ++k) {
      secret.take(batch[k]);
      const std::uint64_t start = cycles();
      operation.run(q, secret.words, secret.residues);
      const std::uint64_t end = cycles();
      if (done >= 0) times[chosen[k]].push_back(static_cast<double>(end - start));
    }
  }
  return times;
}

}  // namespace

int main(int, char** arguments) {
  const Basis& q = secrets::basis(arguments[1]);
  const secrets::Operations all = secrets::operations();
  for (const auto& [name, operation] : all) {
    std::printf("%s", name.c_str());
    for (const Against against : {Against::fixed, Against::zeros, Against::random})
      std::printf(" %.2f", furthest(measured(q, operation, against, std::atol(arguments[2]))));
    std::printf("\n");
    std::fflush(stdout);
  }
}
