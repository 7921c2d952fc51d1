// Lattigo, https://github.com/tuneinsight/lattigo, behind the protocol of `driver.hpp`; built within a checkout of it.
//
// Arguments: CKKS or BFV, log2 N, the scale's bits or the plain modulus, then the bits of every prime of Q, "special",
// and the bits of every special prime. Lattigo has no threads of its own; results go into ciphertexts that are there.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/tuneinsight/lattigo/v6/circuits/ckks/lintrans"
	"github.com/tuneinsight/lattigo/v6/circuits/ckks/polynomial"
	"github.com/tuneinsight/lattigo/v6/core/rlwe"
	"github.com/tuneinsight/lattigo/v6/ring"
	"github.com/tuneinsight/lattigo/v6/schemes"
	"github.com/tuneinsight/lattigo/v6/schemes/bgv"
	"github.com/tuneinsight/lattigo/v6/schemes/ckks"
	"github.com/tuneinsight/lattigo/v6/utils/bignum"
)

const (
	columns, rows   = 128, 64
	sampleTime      = 2 * time.Millisecond
	slowTime        = 100 * time.Millisecond // from which on caches and warm-ups are no matter
	largestError    = 1e-2
	sigmoidDegree   = 7
	sigmoidInterval = 4.0
	sigmoidLevels   = 4 // three for the series, one for the change to (-1, 1)
)

var cubic = []float64{0.5, 0.197, 0, -0.004}

type call func() error

// What both schemes have, by the names that the comparison uses.
type side struct {
	log    rlwe.Parameters
	fresh  func() (*rlwe.Plaintext, *rlwe.Ciphertext)
	keys   *rlwe.KeyGenerator
	secret *rlwe.SecretKey
	public *rlwe.PublicKey
	held   *rlwe.MemEvaluationKeySet
	calls  map[string]call
	bits   float64
	x      *rlwe.Ciphertext
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "lattigo:", err)
		os.Exit(1)
	}
}

// Keys, among them those of the automorphisms that are given.
func newSide(parameters rlwe.Parameters, elements []uint64) *side {
	keys := rlwe.NewKeyGenerator(parameters)
	secret, public := keys.GenKeyPairNew()
	slices.Sort(elements)
	galois := keys.GenGaloisKeysNew(slices.Compact(elements), secret)
	held := rlwe.NewMemEvaluationKeySet(keys.GenRelinearizationKeyNew(secret), galois...)
	return &side{log: parameters, keys: keys, secret: secret, public: public, held: held}
}

// Calls that differ between the schemes by types alone. evaluate is the scheme's evaluator; rotate moves by one slot,
// sum adds all slots.
func (s *side) common(evaluate schemes.Evaluator, encode, decode func(*rlwe.Plaintext) error,
	rotate, sum func(from, to *rlwe.Ciphertext) error, rotation uint64, rescales bool) {
	encryptor, decryptor := rlwe.NewEncryptor(s.log, s.public), rlwe.NewDecryptor(s.log, s.secret)
	plain, x := s.fresh()
	check(encode(plain))
	check(encryptor.Encrypt(plain, x))
	y := must(encryptor.EncryptNew(plain))
	other, out := s.fresh()
	decrypted, lower := s.fresh()
	tensor := must(evaluate.MulNew(x, y))
	product := func() error {
		err := evaluate.MulRelin(x, y, out)
		if err == nil && rescales {
			err = evaluate.Rescale(out, lower)
		}
		return err
	}
	result := map[bool]*rlwe.Ciphertext{true: lower, false: out}[rescales]
	wide := tensor.CopyNew()
	s.x = x
	s.calls = map[string]call{
		"add":            func() error { return evaluate.Add(x, y, out) },
		"multiply":       func() error { return evaluate.Mul(x, y, wide) },
		"relinearize":    func() error { return evaluate.Relinearize(tensor, out) },
		"product":        product,
		"multiply_plain": func() error { return evaluate.Mul(x, plain, out) },
		"rotate":         func() error { return rotate(x, out) },
		"encode":         func() error { return encode(other) },
		"encrypt":        func() error { return encryptor.Encrypt(plain, out) },
		"encode_encrypt": func() error { return errors.Join(encode(other), encryptor.Encrypt(other, out)) },
		"decrypt":        func() error { decryptor.Decrypt(x, decrypted); return nil },
		"decode":         func() error { return decode(plain) },
		"decrypt_decode": func() error { decryptor.Decrypt(x, decrypted); return decode(decrypted) },
		"keys":           func() error { s.makeKeys(rotation); return nil },
		"dot":            func() error { return errors.Join(product(), sum(result, result)) },
	}
	if rescales {
		degreeOne := must(evaluate.MulRelinNew(x, y))
		s.calls["rescale"] = func() error { return evaluate.Rescale(degreeOne, lower) }
	}
	check(product())
	decryptor.Decrypt(result, decrypted)
	check(decode(decrypted))
}

func (s *side) makeKeys(rotation uint64) {
	secret, _ := s.keys.GenKeyPairNew()
	s.keys.GenRelinearizationKeyNew(secret)
	s.keys.GenGaloisKeyNew(rotation, secret)
}

// --- CKKS ----------------------------------------------------------------------------------------------------------

func ckksSide(logN, scale int, q, p []int) *side {
	parameters := must(ckks.NewParametersFromLiteral(
		ckks.ParametersLiteral{LogN: logN, LogQ: q, LogP: p, LogDefaultScale: scale}))
	slots := parameters.MaxSlots()
	matrix := matrixOf(parameters)
	rotations := slices.Concat(parameters.GaloisElementsForInnerSum(1, slots), matrix.GaloisElements(parameters),
		[]uint64{parameters.GaloisElementForRotation(1), parameters.GaloisElementForRotation(rows)})
	s := newSide(parameters.Parameters, rotations)
	s.fresh = func() (*rlwe.Plaintext, *rlwe.Ciphertext) {
		level := parameters.MaxLevel()
		return ckks.NewPlaintext(parameters, level), ckks.NewCiphertext(parameters, 1, level)
	}
	encoder, evaluator := ckks.NewEncoder(parameters), ckks.NewEvaluator(parameters, s.held)
	values, found := make([]float64, slots), make([]float64, slots)
	for i := range values {
		values[i] = float64(i%100)/100 - 0.5
	}
	s.common(evaluator,
		func(to *rlwe.Plaintext) error { return encoder.Encode(values, to) },
		func(from *rlwe.Plaintext) error { return encoder.Decode(from, found) },
		func(from, to *rlwe.Ciphertext) error { return evaluator.Rotate(from, 1, to) },
		func(from, to *rlwe.Ciphertext) error { return evaluator.InnerSum(from, 1, slots, to) },
		parameters.GaloisElementForRotation(1), true)
	s.bits = right(values, found)
	s.functions(parameters, evaluator)
	s.linear(parameters, evaluator, encoder, matrix, values)
	return s
}

// Polynomials of every slot.
func (s *side) functions(parameters ckks.Parameters, evaluator *ckks.Evaluator) {
	polynomials := polynomial.NewEvaluator(parameters, evaluator)
	evaluated := func(coefficients bignum.Polynomial) call {
		p := polynomial.NewPolynomial(coefficients)
		scalar, constant := p.ChangeOfBasis()
		return func() error {
			x := s.x
			if p.Basis == bignum.Chebyshev {
				x = must(evaluator.MulNew(x, scalar))
				check(errors.Join(evaluator.Add(x, constant, x), evaluator.Rescale(x, x)))
			}
			_, err := polynomials.Evaluate(x, p, parameters.DefaultScale())
			return err
		}
	}
	s.calls["polynomial"] = evaluated(bignum.NewPolynomial(bignum.Monomial, cubic, nil))
	if parameters.MaxLevel() >= sigmoidLevels {
		sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
		interval := bignum.Interval{Nodes: sigmoidDegree}
		interval.A.SetFloat64(-sigmoidInterval)
		interval.B.SetFloat64(sigmoidInterval)
		s.calls["sigmoid"] = evaluated(bignum.ChebyshevApproximation(sigmoid, interval))
	}
}

// A transformation of as many slots as the matrix has columns, repeated; its diagonals wrap around after as many as it
// has rows, so that the two halves of what it gives are added.
func matrixOf(parameters ckks.Parameters) lintrans.LinearTransformation {
	diagonals := lintrans.Diagonals[float64]{}
	for k := range rows {
		diagonals[k] = make([]float64, columns)
		for i := range columns {
			row, column := i%rows, (i+k)%columns
			diagonals[k][i] = float64((3*column+row)%100)/100 - 0.5
		}
	}
	level := parameters.MaxLevel()
	matrix := lintrans.NewTransformation(parameters, lintrans.Parameters{
		DiagonalsIndexList:        diagonals.DiagonalsIndexList(),
		LevelQ:                    level,
		LevelP:                    parameters.MaxLevelP(),
		Scale:                     rlwe.NewScale(parameters.Q()[level]),
		LogDimensions:             ring.Dimensions{Rows: 0, Cols: bitsOf(columns)},
		LogBabyStepGiantStepRatio: 1,
	})
	check(lintrans.Encode(ckks.NewEncoder(parameters), diagonals, matrix))
	return matrix
}

// The plain matrix, encoded beforehand, times an encrypted vector.
func (s *side) linear(parameters ckks.Parameters, evaluator *ckks.Evaluator, encoder *ckks.Encoder,
	matrix lintrans.LinearTransformation, values []float64) {
	plain, x := s.fresh()
	plain.LogDimensions.Cols = bitsOf(columns)
	check(encoder.Encode(values[:columns], plain))
	check(rlwe.NewEncryptor(parameters, s.public).Encrypt(plain, x))
	transformer := lintrans.NewEvaluator(evaluator)
	var out *rlwe.Ciphertext
	multiply := func() error {
		out = must(transformer.EvaluateNew(x, matrix))
		check(evaluator.Rescale(out, out))
		return evaluator.Add(out, must(evaluator.RotateNew(out, rows)), out)
	}
	check(multiply())
	found := make([]float64, columns)
	check(encoder.Decode(rlwe.NewDecryptor(parameters, s.secret).DecryptNew(out), found))
	for row := range rows {
		wanted := 0.0
		for column := range columns {
			wanted += (float64((3*column+row)%100)/100 - 0.5) * values[column]
		}
		if !(math.Abs(wanted-found[row]) < largestError) {
			check(fmt.Errorf("a row of the matrix times the vector is off by %g", wanted-found[row]))
		}
	}
	s.calls["matvec"] = multiply
}

func right(values, found []float64) float64 {
	worst := math.Exp2(-60)
	for i, value := range values {
		worst = max(worst, math.Abs(value*value-found[i]))
	}
	if !(worst < largestError) {
		check(fmt.Errorf("a product is off by %g", worst))
	}
	return math.Round(-10*math.Log2(worst)) / 10
}

// --- BFV -----------------------------------------------------------------------------------------------------------

func bfvSide(logN int, plain uint64, q, p []int) *side {
	parameters := must(bgv.NewParametersFromLiteral(
		bgv.ParametersLiteral{LogN: logN, LogQ: q, LogP: p, PlaintextModulus: plain}))
	slots := parameters.MaxSlots()
	rotations := append(parameters.GaloisElementsForInnerSum(1, slots),
		parameters.GaloisElementForColRotation(1), parameters.GaloisElementForRowRotation())
	s := newSide(parameters.Parameters, rotations)
	s.fresh = func() (*rlwe.Plaintext, *rlwe.Ciphertext) {
		level := parameters.MaxLevel()
		return bgv.NewPlaintext(parameters, level), bgv.NewCiphertext(parameters, 1, level)
	}
	encoder, evaluator := bgv.NewEncoder(parameters), bgv.NewEvaluator(parameters, s.held, true)
	values, found := make([]uint64, slots), make([]uint64, slots)
	for i := range values {
		values[i] = uint64(i % 100)
	}
	s.common(evaluator,
		func(to *rlwe.Plaintext) error { return encoder.Encode(values, to) },
		func(from *rlwe.Plaintext) error { return encoder.Decode(from, found) },
		func(from, to *rlwe.Ciphertext) error { return evaluator.RotateColumns(from, 1, to) },
		func(from, to *rlwe.Ciphertext) error { return evaluator.InnerSum(from, 1, slots, to) },
		parameters.GaloisElementForColRotation(1), false)
	for i, value := range values {
		if found[i] != value*value%plain {
			check(fmt.Errorf("slot %d of a product is wrong", i))
		}
	}
	return s
}

// --- the protocol --------------------------------------------------------------------------------------------------

func (s *side) facts() string {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	level, special := s.log.MaxLevelQ(), s.log.MaxLevelP()
	digits := s.log.BaseRNSDecompositionVectorSize(level, special)
	facts := map[string]any{
		"library": "Lattigo", "log_qp": math.Round(s.log.LogQP()), "limbs": level + 1, "special": special + 1,
		"levels": level, "digits": digits, "peak_mebibytes": usage.Maxrss / 1024,
		"operations": slices.Sorted(maps.Keys(s.calls)),
		"bytes": map[string]int{
			"ciphertext": 2 * 8 * s.log.N() * (level + 1), "ciphertext sent": s.x.BinarySize(),
			"switching key": 2 * 8 * s.log.N() * (level + special + 2) * digits,
		},
	}
	if s.bits > 0 {
		facts["right_bits"] = s.bits
	}
	return string(must(json.Marshal(facts)))
}

// How many calls make a sample, and what one took.
func warmUp(run call) (calls int, took time.Duration) {
	spent := time.Duration(0)
	for done := 0; (done < 2 && took < slowTime) || spent < sampleTime; done++ {
		start := time.Now()
		check(run())
		took = time.Since(start)
		spent += took
		calls = max(1, int(sampleTime/took))
	}
	return calls, took
}

func (s *side) serve() {
	current, calls, before := "", 1, 0
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		line := lines.Text()
		if line == "facts" {
			fmt.Println(s.facts())
			continue
		}
		run, found := s.calls[line]
		if !found {
			check(fmt.Errorf("no operation %s", line))
		}
		if line != current {
			var took time.Duration
			current, before = line, 0
			if calls, took = warmUp(run); took <= slowTime {
				before = 1 + calls/4
			}
		}
		for range before { // what other processes took of the cache is not its own
			check(run())
		}
		start := time.Now()
		for range calls {
			check(run())
		}
		fmt.Printf("%.1f 1 1\n", float64(time.Since(start).Nanoseconds())/float64(calls))
	}
}

func bitsOf(powerOfTwo int) int { return int(math.Log2(float64(powerOfTwo))) }

func numbers(words []string) (found []int) {
	for _, word := range words {
		found = append(found, must(strconv.Atoi(word)))
	}
	return found
}

func main() {
	at := slices.Index(os.Args, "special")
	if at < 5 {
		check(errors.New("usage: lattigo CKKS|BFV LOG_N GIVEN BITS… special BITS…"))
	}
	given := numbers(os.Args[2:4])
	q, p := numbers(os.Args[4:at]), numbers(os.Args[at+1:])
	if os.Args[1] == "CKKS" {
		ckksSide(given[0], given[1], q, p).serve()
	} else {
		bfvSide(given[0], uint64(given[1]), q, p).serve()
	}
}
