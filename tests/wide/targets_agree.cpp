// Every kernel of every target against the scalar target, on extreme and on random rows. No Python: it runs wherever
// the kernels do, also under an emulator. Prints what it compared; ends with 1 at the first difference.
//
//   c++ -std=c++17 -O2 -ffp-contract=off -Icsrc tests/wide/targets_agree.cpp csrc/ring/ntt_tables.cpp
//   csrc/targets/*.cpp
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ring/ntt_tables.hpp"
#include "targets/dispatch.hpp"

namespace fhe {
namespace {

// --- primes and rows ------------------------------------------------------------------------------------------------

u64 state = 1;
u64 random_word() {  // splitmix64
  u64 z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Miller and Rabin; the first twelve primes as bases decide every word.
bool is_prime(u64 value) {
  for (u64 small : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}) {
    if (value % small == 0) return value == small;
  }
  const Modulus q(value);
  const int twos = __builtin_ctzll(value - 1);
  for (u64 base : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}) {
    u64 x = q.pow(base, (value - 1) >> twos);
    bool passes = x == 1 || x == value - 1;
    for (int i = 1; i < twos && !passes; ++i) {
      x = q.mul(x, x);
      passes = x == value - 1;
    }
    if (!passes) return false;
  }
  return true;
}

// The prime 1 mod 2N next below or above `start`, or 0 where the search leaves the words of `bits` bits.
u64 ntt_prime(u64 start, bool upwards, u64 ring_degree, int bits) {
  const u64 step = 2 * ring_degree;
  u64 q = start / step * step + 1;
  while (bit_length(q) < bits) q += step;
  while (bit_length(q) == bits && !is_prime(q)) q = upwards ? q + step : q - step;
  return bit_length(q) == bits ? q : 0;
}

u64 root_of(const Modulus& q, u64 ring_degree) {
  for (u64 x = 2;; ++x) {
    const u64 root = q.pow(x, (q.value - 1) / (2 * ring_degree));
    if (q.pow(root, ring_degree) == q.value - 1) return root;
  }
}

using Row = std::vector<u64>;

// Rows of values below `end`, patterns that reach the ends of lazy ranges and random ones.
std::vector<Row> rows_below(u64 end, std::size_t n) {
  std::vector<Row> rows(7, Row(n));
  for (std::size_t i = 0; i < n; ++i) {
    rows[0][i] = end - 1;
    rows[1][i] = i < n / 2 ? end - 1 : 0;
    rows[2][i] = i % 2 == 0 ? end - 1 : 0;
    rows[3][i] = i == 1 ? 1 : 0;
    rows[4][i] = end / 2 + i % 2;
    rows[5][i] = random_word() % end;
    rows[6][i] = random_word() % 2 == 0 ? end - 1 : random_word() % end;
  }
  return rows;
}

std::vector<const u64*> pointers(const std::vector<Row>& rows, std::size_t count) {
  std::vector<const u64*> pointers;
  for (std::size_t i = 0; i < count; ++i) pointers.push_back(rows[i % rows.size()].data());
  return pointers;
}

// --- comparisons
// ------------------------------------------------------------------------------------------------------

struct Pair {
  const NttTables& tables;
  const NttTables& expected;

  // run(kernels, tables, out) writes a row; both targets must write the same.
  template <class Run>
  void compare(const char* what, const Run& run) const {
    Row actual(tables.ring_degree), right(tables.ring_degree);
    run(*tables.kernels, tables, actual.data());
    run(*expected.kernels, expected, right.data());
    const auto where = std::mismatch(actual.begin(), actual.end(), right.begin());
    if (where.first == actual.end()) return;
    std::printf("%s: %s differs at %td of N = %llu, q = %llu: %llu, not %llu\n", tables.kernels->name, what,
                where.first - actual.begin(), static_cast<unsigned long long>(tables.ring_degree),
                static_cast<unsigned long long>(tables.q.value), static_cast<unsigned long long>(*where.first),
                static_cast<unsigned long long>(*where.second));
    std::exit(1);
  }
};

void compare_transforms(const Pair& pair, const std::vector<Row>& rows) {
  for (const Row& x : rows) {
    pair.compare("ntt", [&](const Kernels& k, const NttTables& t, u64* out) { k.ntt(out, x.data(), t); });
    pair.compare("intt", [&](const Kernels& k, const NttTables& t, u64* out) { k.intt(out, x.data(), t); });
    pair.compare("intt in place", [&](const Kernels& k, const NttTables& t, u64* out) {
      k.ntt(out, x.data(), t);
      k.intt(out, out, t);
    });
  }
}

void compare_elementwise(const Pair& pair, const std::vector<Row>& rows, std::size_t n) {
  const Modulus& q = pair.tables.q;
  const u64 constants[] = {0, 1, q.value / 2, q.value - 1, random_word() % q.value};
  for (std::size_t i = 0; i < rows.size() * rows.size(); ++i) {
    const u64 *x = rows[i % rows.size()].data(), *y = rows[i / rows.size()].data(), *z = rows[6].data();
    const u64 w = constants[i % 5];
    using K = const Kernels&;
    using T = const NttTables&;
    pair.compare("add", [&](K k, T, u64* out) { k.add(out, x, y, n, q); });
    pair.compare("sub", [&](K k, T, u64* out) { k.sub(out, x, y, n, q); });
    pair.compare("neg", [&](K k, T, u64* out) { k.neg(out, x, n, q); });
    pair.compare("mul", [&](K k, T, u64* out) { k.mul(out, x, y, n, q); });
    pair.compare("mul_add", [&](K k, T, u64* out) { k.mul_add(out, x, y, z, n, q); });
    pair.compare("mul_scalar", [&](K k, T, u64* out) { k.mul_scalar(out, x, w, n, q); });
    pair.compare("add_scalar", [&](K k, T, u64* out) { k.add_scalar(out, x, w, n, q); });
    pair.compare("sub_mul_scalar", [&](K k, T, u64* out) { k.sub_mul_scalar(out, x, y, w, n, q); });
    const u64 v = q.value - 1 - w;
    pair.compare("sub_mul_scalar_add", [&](K k, T, u64* out) { k.sub_mul_scalar_add(out, x, y, w, z, v, n, q); });
    for (int o = 0; o < 3; ++o) {
      pair.compare("tensor", [&](K k, T, u64* out) {
        std::vector<Row> spare(2, Row(n));
        u64* to[] = {spare[0].data(), spare[1].data(), spare[1].data()};
        const u64 *xs[] = {x, y}, *ys[] = {y, z};
        to[o] = out;
        k.tensor(to, xs, ys, n, q);
      });
    }
  }
}

// A key whose halves are the factors in order and in reverse, packed by hand.
void compare_key_product(const Pair& pair, const std::vector<const u64*>& xs, const std::vector<Row>& rows,
                         std::size_t terms, std::size_t n) {
  const Modulus& q = pair.tables.q;
  const std::size_t width = static_cast<std::size_t>(q.bits + 7) / 8, columns = std::min(n, kKeyColumns);
  std::vector<unsigned char> bytes(2 * terms * n * width + 64);
  unsigned char* to = bytes.data();
  for (std::size_t start = 0; start < n; start += columns)
    for (std::size_t j = 0; j < terms; ++j)
      for (const u64* row : {xs[j], rows[(terms - j) % rows.size()].data()})
        for (std::size_t k = start; k < start + columns; ++k, to += width) std::memcpy(to, row + k, width);
  const PackedRows key{bytes.data(), 2 * terms * columns * width, width};
  for (bool first : {true, false}) {
    pair.compare("key_product", [&](const Kernels& k, const NttTables&, u64* out) {
      Row other(n);
      k.key_product(first ? out : other.data(), first ? other.data() : out, xs.data(), terms, key, n, q);
    });
  }
}

using Rows = std::vector<const u64*>;

// Kernels of doubles, to the last bit: residues xs, and any words zs.
void compare_doubles(const Pair& pair, const Rows& xs, const Rows& zs, std::size_t n) {
  const std::size_t terms = xs.size();
  std::vector<double> reciprocals(terms);
  for (double& r : reciprocals) r = 1.0 / static_cast<double>((u64{1} << 59) + random_word() % (u64{1} << 59));
  for (bool of_rest : {false, true}) {
    pair.compare(of_rest ? "rest of quotient" : "quotient", [&](const Kernels& k, const NttTables&, u64* out) {
      std::vector<double> rest(n);
      k.quotient(out, rest.data(), zs.data(), reciprocals.data(), terms, n);
      if (of_rest) std::memcpy(out, rest.data(), 8 * n);
    });
  }
  const std::vector<u64> radix(terms, pair.tables.q.value);
  pair.compare("mixed_radix", [&](const Kernels& k, const NttTables&, u64* out) {
    std::vector<double> lifted(n);
    k.mixed_radix(lifted.data(), xs.data(), radix.data(), terms, n);
    std::memcpy(out, lifted.data(), 8 * n);
  });
}

void compare_sums(const Pair& pair, const std::vector<Row>& rows, std::size_t n) {
  const Modulus& q = pair.tables.q;
  const std::vector<Row> wide = rows_below(u64{1} << 50, n), wider = rows_below(u64{1} << 60, n);
  for (std::size_t terms : {1, 2, 3, 4, 8, 17, 40, 300}) {
    for (bool extreme : {true, false}) {
      const auto xs = extreme ? std::vector<const u64*>(terms, rows[0].data()) : pointers(rows, terms);
      const auto ys = extreme ? std::vector<const u64*>(terms, wide[0].data()) : pointers(wide, terms);
      const auto zs = extreme ? std::vector<const u64*>(terms, wider[0].data()) : pointers(wider, terms);
      pair.compare("inner_product", [&](const Kernels& k, const NttTables&, u64* out) {
        k.inner_product(out, xs.data(), xs.data(), terms, n, q);
      });
      compare_key_product(pair, xs, rows, terms, n);
      Row weights(3 * terms);
      for (u64& w : weights) w = extreme ? q.value - 1 : random_word() % q.value;
      const Modulus* moduli[] = {&q, &q, &q};
      for (int o = 0; o < 3; ++o) {
        pair.compare("weighted_sums", [&](const Kernels& k, const NttTables&, u64* out) {
          std::vector<Row> outputs(3, Row(n));
          u64* to[] = {outputs[0].data(), outputs[1].data(), outputs[2].data()};
          k.weighted_sums(to, 3, ys.data(), terms, weights.data(), n, moduli);
          std::copy(outputs[o].begin(), outputs[o].end(), out);
        });
      }
      compare_doubles(pair, xs, zs, n);
    }
  }
}

void compare_gather(const Pair& pair, const Row& x, std::size_t n) {
  std::vector<u32> index(n);
  for (u32& i : index) i = static_cast<u32>(random_word() % n);
  pair.compare("gather",
               [&](const Kernels& k, const NttTables&, u64* out) { k.gather(out, x.data(), index.data(), n); });
}

// --- all of it
// --------------------------------------------------------------------------------------------------------

// Compares a target with scalar for one prime; false where the target leaves it to another.
bool compare_prime(const char* target, u64 value, u64 ring_degree) {
  const Modulus q(value);
  const u64 root = root_of(q, ring_degree);
  const auto tables = make_ntt_tables(ring_degree, q, root, target),
             expected = make_ntt_tables(ring_degree, q, root, "scalar");
  if (std::strcmp(tables->kernels->name, target) != 0) return false;
  const Pair pair{*tables, *expected};
  const std::vector<Row> rows = rows_below(value, ring_degree);
  compare_transforms(pair, rows);
  if (ring_degree > 1024) return true;
  compare_elementwise(pair, rows, ring_degree);
  compare_sums(pair, rows, ring_degree);
  compare_gather(pair, rows[5], ring_degree);
  return true;
}

int compare_target(const char* target, int largest_log_degree) {
  int primes = 0;
  for (int log_degree = 7; log_degree <= largest_log_degree; ++log_degree) {
    const u64 ring_degree = u64{1} << log_degree;
    for (int bits : {9, 12, 20, 30, 40, 44, 45, 46, 47, 48, 49, 50}) {
      if (bits <= log_degree + 1 || (ring_degree > 4096 && bits < 46)) continue;
      const u64 below = ntt_prime((u64{1} << bits) - 1, false, ring_degree, bits);
      const u64 above = ntt_prime(u64{1} << (bits - 1), true, ring_degree, bits);
      for (u64 value : {below, above}) {
        if (value != 0 && compare_prime(target, value, ring_degree)) ++primes;
      }
    }
  }
  std::printf("%s agrees with scalar for %d primes and rings to 2^%d\n", target, primes, largest_log_degree);
  return primes;
}

}  // namespace
}  // namespace fhe

// Arguments: the largest log2(N), then the targets; without any, all that this CPU runs, to 2^13.
int main(int argc, char** argv) {
  std::vector<const char*> targets(argv + std::min(argc, 2), argv + argc);
  if (targets.empty()) targets = fhe::supported_targets();
  const int largest_log_degree = argc > 1 ? std::atoi(argv[1]) : 13;
  for (const char* target : targets) {
    if (fhe::compare_target(target, largest_log_degree) == 0) return 1;
  }
  return 0;
}
