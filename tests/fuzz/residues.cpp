// Programs on received residues, arguments unchecked: each operation refuses, or gives reduced residues of its basis.
#include <cmath>

#include "entry.hpp"
#include "ring/arithmetic.hpp"
#include "ring/automorphism.hpp"
#include "ring/convert.hpp"
#include "ring/division.hpp"
#include "ring/lift.hpp"
#include "ring/scale_round.hpp"
#include "ring/tensor.hpp"
#include "rlwe/keyswitch.hpp"

using namespace fhe;

namespace {

struct Value {
  const Basis* basis;
  Buffer x;
};

class Machine {
 public:
  explicit Machine(fuzz::Source& source) : source_(source) { push(fuzz::small_basis(source)); }

  void step() {
    const std::size_t operation = source_.below(22);
    const Value& x = any();
    const Value& y = source_.below(8) == 0 ? other(x) : x;
    fuzz::refused([&] { operation < 12 ? arithmetic(operation, x, y) : conversion(operation, x, y); });
  }

 private:
  const Value& any() { return values_[source_.below(values_.size())]; }
  // Another operand, or x: rows do not know their primes; of other primes in the same shape the layers above know.
  const Value& other(const Value& x) {
    const Value& y = any();
    const bool alike = y.basis->size() == x.basis->size() && y.basis->ring_degree() == x.basis->ring_degree();
    return alike && y.basis != x.basis ? x : y;
  }
  std::vector<u64> scalars(const Basis& basis) {
    std::vector<u64> found;
    for (std::size_t i = 0; i < basis.size(); ++i) found.push_back(source_.word(2) % basis.modulus(i).value);
    return found;
  }

  void push(const Basis& basis) {
    const std::size_t axes = source_.below(8);
    keep(basis, fuzz::polynomial(basis, source_, axes == 0 ? Axes{2} : axes == 1 ? Axes{1, 2} : Axes{}));
  }
  void keep(const Basis& basis, const Buffer& x) {
    fuzz::require(x.limbs() == basis.size() && x.ring_degree() == basis.ring_degree(), "a result has its basis");
    fuzz::require(fuzz::reduced(basis, x), "a result is reduced");
    if (values_.size() == 8) values_.erase(values_.begin());
    values_.push_back({&basis, x});
  }

  void arithmetic(std::size_t operation, Value x, Value y) {
    const Basis& q = *x.basis;
    switch (operation) {
      case 0:
        return keep(q, add(q, x.x, y.x));
      case 1:
        return keep(q, sub(q, x.x, y.x));
      case 2:
        return keep(q, neg(q, y.x));
      case 3:
        return keep(q, mul(q, x.x, y.x));
      case 4:
        return keep(q, mul_add(q, x.x, y.x, other(x).x));
      case 5:
        return keep(q, mul_scalar(q, y.x, scalars(*y.basis)));
      case 6:
        return keep(q, add_scalar(q, y.x, scalars(*y.basis)));
      case 7:
        return keep(q, inner_product(q, {x.x, y.x, other(x).x}, {y.x, y.x, x.x}));
      case 8: {
        const std::size_t coeffs = source_.below(4);
        for (const Buffer& part : tensor(q, {Parts{x.x}, Parts{y.x}}, {Parts{y.x}, Parts{x.x}}, coeffs)) keep(q, part);
        return;
      }
      case 9:
        return keep(q, ntt(q, y.x));
      case 10:
        return keep(q, intt(q, y.x));
      default:
        return push(fuzz::small_basis(source_));
    }
  }

  void conversion(std::size_t operation, Value x, Value y) {
    const Basis& q = *x.basis;
    const std::size_t start = source_.below(8), stop = source_.below(8), special = source_.below(4);
    switch (operation) {
      case 12:
        return keep(q, automorphism_coeff(q, y.x, source_.word(2)));
      case 13:
        return keep(q, automorphism_eval(q, y.x, source_.word(2)));
      case 14:
        return keep(q, to_natural(q, y.x));
      case 15:
        return keep(q, from_natural(q, y.x));
      case 16:
        if (source_.below(2) == 0) return keep(*y.basis, convert(q, *y.basis, x.x));
        return keep(*y.basis, convert(q, *y.basis, x.x, scalars(*x.basis), scalars(*y.basis)));
      case 17:
        return check(q, divide_round_coeff(q, start, stop, y.x), start, stop);
      case 18:
        return check(q, divide_round_eval(q, start, stop, y.x), start, stop);
      case 19:
        return check(q, divide_round_sum(q, special, start, stop, x.x, y.x.slice(start, stop)), start, stop);
      case 20: {
        for (const Buffer& digit : decompose(q, {special, start, nullptr, y.x.slice(special, y.x.limbs())}))
          keep(q, digit);
        return;
      }
      default: {
        std::vector<double> out(x.x.polynomials() * x.x.ring_degree());
        lift(q, x.x, out.data());
        for (const double value : out) fuzz::require(!std::isnan(value), "a lifted coefficient is a number");
        const Basis& plain = *any().basis;
        keep(plain, scale_round(q, plain, x.x, out.data()));
        for (const double value : out) fuzz::require(std::fabs(value) < 0.51, "what is left is below one half");
      }
    }
  }
  void check(const Basis& q, const Buffer& x, std::size_t start, std::size_t stop) {
    fuzz::require(x.limbs() == stop - start, "a quotient has the limbs asked for");
    for (std::size_t limb = start; limb < stop; ++limb)
      for (std::size_t i = 0; i < x.polynomials(); ++i)
        for (std::size_t k = 0; k < x.ring_degree(); ++k)
          fuzz::require(x.row(i, limb - start)[k] < q.modulus(limb).value, "a quotient is reduced");
  }

  fuzz::Source& source_;
  std::vector<Value> values_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(data, size);
  const fuzz::Account account(size, std::size_t{4} << 20);
  Machine machine(source);
  for (int steps = 0; steps < 12 && !source.empty(); ++steps) machine.step();
  return 0;
}
