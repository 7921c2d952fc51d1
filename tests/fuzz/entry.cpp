#include "entry.hpp"

#include <algorithm>
#include <tuple>

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void*);

namespace fhe::fuzz {
namespace {

constexpr u64 kPrime[kPrimes] = {130817,         1047041,         1073738753,      1099511619841,   35184372088321,
                                 70368744168193, 140737488349697, 562949953417729, 1125899906840833};

u64 root_of(const Modulus& q, u64 ring_degree) {
  for (u64 x = 2;; ++x) {
    const u64 root = q.pow(x, (q.value - 1) / (2 * ring_degree));
    if (q.pow(root, ring_degree) == q.value - 1) return root;
  }
}

// --- memory ---------------------------------------------------------------------------------------------------------

bool counting = false;
long long live = 0, most = 0, most_beyond = 0;  // the last of all executions: beyond 4 times their inputs

void count(const volatile void*, std::size_t bytes) {
  if (counting) most = std::max(most, live += static_cast<long long>(bytes));
}

void uncount(const volatile void* memory) {
  if (counting && memory != nullptr) live -= static_cast<long long>(__sanitizer_get_allocated_size(memory));
}

void report() { std::fprintf(stderr, "most allocated beyond 4 times the input: %lld bytes\n", most_beyond); }

void install() {
  static const bool once = [] {
    std::atexit(report);
    return __sanitizer_install_malloc_and_free_hooks(count, uncount) != 0;
  }();
  require(once, "the sanitizer tells of allocations");
}

}  // namespace

const Basis& small_basis(std::size_t log_degree, std::size_t first, std::size_t count, bool portable) {
  static auto* const made =
      new std::map<std::tuple<std::size_t, std::size_t, std::size_t, bool>, std::unique_ptr<Basis>>;
  auto& basis = (*made)[{log_degree, first, count, portable}];
  if (basis == nullptr) {
    const u64 N = u64{1} << log_degree;
    std::vector<u64> moduli, roots;
    for (std::size_t i = first; i < first + count; ++i) {
      moduli.push_back(kPrime[i % kPrimes]);
      roots.push_back(root_of(Modulus(moduli.back()), N));
    }
    basis = std::make_unique<Basis>(N, moduli, roots, portable ? "scalar" : "");
  }
  return *basis;
}

const Basis& small_basis(Source& source) {
  const std::size_t choice = source.word(2);
  return small_basis(3 + choice % 5, choice / 5 % kPrimes, 1 + choice / 45 % 6, choice / 270 % 2 != 0);
}

bool reduced(const Basis& basis, const Buffer& x) {
  for (std::size_t i = 0; i < x.polynomials(); ++i)
    for (std::size_t limb = 0; limb < std::min(basis.size(), x.limbs()); ++limb)
      for (std::size_t k = 0; k < x.ring_degree(); ++k)
        if (x.row(i, limb)[k] >= basis.modulus(limb).value) return false;
  return true;
}

Buffer polynomial(const Basis& basis, Source& source, Axes leading) {
  Buffer x(std::move(leading), basis.size(), basis.ring_degree());
  for (std::size_t row = 0; row < x.rows(); ++row)
    for (std::size_t k = 0; k < x.ring_degree(); ++k) {
      const u64 word = source.word(3);  // few bytes say much: ends of the range, or a word spread over it
      const u64 q = basis.modulus(row % basis.size()).value;
      x.row(0, 0)[row * x.ring_degree() + k] = word % 4 == 0 ? (q - 1 - word / 4 % 3) % q : word * word * word % q;
    }
  return x;
}

Account::Account(std::size_t input, std::size_t tables) : four_inputs_(4 * input), tables_(tables) {
  install();
  live = most = 0;
  counting = true;
}

Account::~Account() {
  counting = false;
  const long long beyond = most - static_cast<long long>(four_inputs_);
  most_beyond = std::max(most_beyond, beyond);
  require(beyond <= static_cast<long long>(tables_), "no more memory than 4 times the input and tables");
}

}  // namespace fhe::fuzz
