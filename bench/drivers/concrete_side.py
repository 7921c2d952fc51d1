"""concrete-ml, https://github.com/zama-ai/concrete-ml, behind the protocol of `serve.py`: encrypt, predict, decrypt."""

from concrete.ml.sklearn import DecisionTreeClassifier, LogisticRegression
from models import ROWS, cancer, digits, same
from serve import peak_mebibytes, serve

LOGISTIC_BITS, TREE_BITS = 8, 5


def prepared(model, data):
    """Learnt and compiled, with its keys; the rows to score, and how many are as in the clear."""
    features, labels, rows = (part if part.ndim == 1 else part.astype(float) for part in data)
    model.fit(features, labels)
    model.compile(features)
    model.fhe_circuit.keygen()
    return model, rows


def main():
    scores, patients = prepared(LogisticRegression(n_bits=LOGISTIC_BITS), cancer())
    classes, images = prepared(DecisionTreeClassifier(n_bits=TREE_BITS, max_depth=2, random_state=0), digits())
    share = same(scores.predict(patients[:5], fhe="execute"), scores.predict(patients[:5]))
    share = min(share, same(classes.predict(images[:1], fhe="execute"), classes.predict(images[:1])))
    calls = {
        "logistic regression, 1 row": lambda: scores.predict(patients[:1], fhe="execute"),
        f"logistic regression, {ROWS} rows": lambda: scores.predict(patients, fhe="execute"),
        "decision tree, 1 row": lambda: classes.predict(images[:1], fhe="execute"),
    }
    serve(calls, {"library": "concrete-ml", "as in the clear": share, "peak_mebibytes": peak_mebibytes()})


if __name__ == "__main__":
    main()
