// Our own kernels, on rows and on whole polynomials, without Python. The argument is a target ("" is the best).
#include <memory>

#include "driver.hpp"
#include "pool/threads.hpp"
#include "random/sampling.hpp"
#include "ring/arithmetic.hpp"
#include "ring/automorphism.hpp"
#include "ring/convert.hpp"
#include "ring/division.hpp"
#include "ring/pack.hpp"
#include "rlwe/encryption.hpp"
#include "rlwe/keyswitch.hpp"
#include "targets/dispatch.hpp"

namespace fhe {
namespace {

std::string target;

// numbers: N, the count L of limbs, L primes, L roots, and what an operation asks for beyond.
struct Problem {
  explicit Problem(const bench::Numbers& numbers)
      : n(numbers[0]),
        limbs(numbers[1]),
        moduli(numbers.begin() + 2, numbers.begin() + 2 + limbs),
        roots(numbers.begin() + 2 + limbs, numbers.begin() + 2 + 2 * limbs),
        more(numbers.begin() + 2 + 2 * limbs, numbers.end()),
        basis(std::make_shared<Basis>(n, moduli, roots, target)) {}

  // A random polynomial of the limbs start … stop-1; `leading` of them side by side.
  Buffer random(std::size_t start, std::size_t stop) const {
    Buffer x({}, stop - start, n);
    const auto rows = bench::random_rows({moduli.begin() + start, moduli.begin() + stop}, n);
    for (std::size_t i = 0; i < rows.size(); ++i) std::copy(rows[i].begin(), rows[i].end(), x.row(0, i));
    return x;
  }
  Buffer random() const { return random(0, limbs); }
  std::vector<Buffer> randoms(std::size_t count) const {
    std::vector<Buffer> found;
    for (std::size_t i = 0; i < count; ++i) found.push_back(random());
    return found;
  }
  std::shared_ptr<Basis> part(std::size_t start, std::size_t stop) const {
    return std::make_shared<Basis>(n, std::vector<u64>(moduli.begin() + start, moduli.begin() + stop),
                                   std::vector<u64>(roots.begin() + start, roots.begin() + stop), target);
  }

  std::size_t n, limbs;
  std::vector<u64> moduli, roots, more;
  std::shared_ptr<Basis> basis;
};

// Calls body(i) with the next limb each time.
template <class Body>
bench::Call rotating(std::size_t limbs, const Body& body) {
  return [=, i = std::size_t{0}]() mutable {
    body(i);
    i = i + 1 == limbs ? 0 : i + 1;
  };
}

// Operations on one row: each call takes the next limb.
bench::Call row_operation(const std::string& operation, const Problem& p) {
  const auto basis = p.basis;
  const auto x = std::make_shared<Buffer>(p.random());
  const Buffer y = p.random();
  const std::size_t n = p.n;
  const auto rows = [&](auto body) {
    return rotating(p.limbs,
                    [=](std::size_t i) { body(basis->kernels(i), x->row(0, i), y.row(0, i), basis->tables(i)); });
  };
  using K = const Kernels&;
  using T = const NttTables&;
  if (operation == "ntt") return rows([](K k, u64* a, const u64*, T t) { k.ntt(a, a, t); });
  if (operation == "intt") return rows([](K k, u64* a, const u64*, T t) { k.intt(a, a, t); });
  if (operation == "add") return rows([n](K k, u64* a, const u64* b, T t) { k.add(a, a, b, n, t.q); });
  if (operation == "mul") return rows([n](K k, u64* a, const u64* b, T t) { k.mul(a, a, b, n, t.q); });
  if (operation == "mul_scalar") {
    return rows([n](K k, u64* a, const u64*, T t) { k.mul_scalar(a, a, t.q.value / 3, n, t.q); });
  }
  return {};
}

// Both rows of the inner product of more[0] digits with a switching key: each call takes the next limb.
bench::Call key_product_operation(const Problem& p) {
  const auto basis = p.basis;
  const auto digits = p.randoms(p.more[0]);
  const PackedKey key(*basis, p.randoms(p.more[0]), p.randoms(p.more[0]));
  const auto out = std::make_shared<std::vector<Buffer>>(p.randoms(2));
  return rotating(p.limbs, [=](std::size_t i) {
    std::vector<const u64*> xs;
    for (const Buffer& digit : digits) xs.push_back(digit.row(0, i));
    basis->kernels(i).key_product((*out)[0].row(0, i), (*out)[1].row(0, i), xs.data(), xs.size(), key.rows_of(i),
                                  basis->ring_degree(), basis->modulus(i));
  });
}

// Operations that read or write a stream of bytes. For `encrypt` more[0] limbs are special.
bench::Call stream_operation(const std::string& operation, const Problem& p) {
  const auto basis = p.basis;
  const auto bytes = std::make_shared<std::vector<unsigned char>>(8 * p.limbs * uniform_words(p.n) + 64 * p.n);
  std::uint64_t state = 7;
  for (unsigned char& byte : *bytes) byte = static_cast<unsigned char>((state = state * 6364136223846793005 + 1) >> 56);
  const Stream words{bytes->data(), bytes->size()};
  if (operation == "uniform") return [=] { (void)bytes, uniform(*basis, words); };
  if (operation == "ternary") return [=] { (void)bytes, ternary(*basis, words); };
  if (operation == "centred_binomial") return [=] { (void)bytes, centred_binomial(*basis, words); };
  if (operation == "encrypt") {
    const std::size_t special = p.more[0];
    return [=, b = p.random(), a = p.random(), m = p.random(special, p.limbs)] {
      (void)bytes, encrypt(*basis, special, b, a, {words, words, words}, m);
    };
  }
  const Buffer x = p.random();
  bytes->resize(packed_bytes(*basis, {}));
  pack(*basis, x, bytes->data());
  if (operation == "pack") return [=] { pack(*basis, x, bytes->data()); };
  if (operation == "unpack") return [=] { unpack(*basis, {}, bytes->data(), bytes->size()); };
  return {};
}

// Operations on whole polynomials. For `convert` more[0] limbs are the source and the rest the target; for
// `divide_round` and `switch_down` more[0] are special, and more[1] are a digit.
bench::Call whole_operation(const std::string& operation, const Problem& p) {
  const auto basis = p.basis;
  const std::size_t special = p.more.empty() ? 0 : p.more[0];
  if (operation == "convert") {
    const auto source = p.part(0, special), to = p.part(special, p.limbs);
    return [=, x = p.random(0, special)] { convert(*source, *to, x); };
  }
  if (operation == "divide_round") return [=, x = p.random()] { divide_round_eval(*basis, special, basis->size(), x); };
  if (operation == "automorphism") return [=, x = p.random()] { automorphism_eval(*basis, x, 5); };
  if (operation == "switch_down") {
    const std::size_t digit = p.more[1], digits = (p.limbs - special + digit - 1) / digit;
    const Buffer x = p.random(special, p.limbs);
    return [=, key = PackedKey(*basis, p.randoms(digits), p.randoms(digits))] {
      switch_down(*basis, {special, digit, nullptr, x}, key, basis->size(), {});
    };
  }
  return {};
}

// Sums `words` words, as fast as they come: the bandwidth that any kernel with this working set is held against.
bench::Call read_operation(std::size_t words) {
  auto memory = std::make_shared<std::vector<u64>>(words, 1);
  return [memory] {
    u64 sums[32] = {};
    for (std::size_t i = 0; i + 32 <= memory->size(); i += 32) {
      for (int k = 0; k < 32; ++k) sums[k] += (*memory)[i + k];
    }
    for (u64& sum : sums) __asm__ volatile("" : "+r"(sum));
  };
}

bench::Call make(const std::string& operation, const bench::Numbers& numbers) {
  if (operation == "read") return read_operation(numbers.at(0));
  const Problem problem(numbers);
  if (operation == "key_product") return key_product_operation(problem);
  for (const auto& kind : {row_operation, whole_operation, stream_operation}) {
    if (bench::Call call = kind(operation, problem)) return call;
  }
  return {};
}

// What this core does in a cycle, at best of several looks, and the targets it runs.
std::string facts() {
  double multiplications = 0, additions = 0, links = 0;
  for (int look = 0; look < 50; ++look) {
    links = std::max(links, bench::chain_of_links(bench::kBracket));
    multiplications = std::max(multiplications, bench::chain_of_multiplications(bench::kBracket));
    additions = std::max(additions, bench::chain_of_additions(bench::kBracket));
  }
  std::ostringstream json;
  json << "{\"library\": \"fhe\", \"ghz\": " << links << ", \"multiplications\": " << multiplications / links
       << ", \"additions\": " << additions / links << ", \"targets\": [";
  const char* separator = "\"";
  for (const char* name : supported_targets()) json << separator << name << "\"", separator = ", \"";
  return json.str() + "]}";
}

}  // namespace
}  // namespace fhe

int main(int argc, char** argv) {
  if (argc > 1) fhe::target = argv[1];
  fhe::set_num_threads(1);
  return bench::serve(fhe::make, fhe::facts);
}
