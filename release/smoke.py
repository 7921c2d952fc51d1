"""What a fresh installation must do: run by the Python that has the wheel, away from any checkout.

``python smoke.py README.md`` ends with a line of JSON that says what was found.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
import time
from pathlib import Path


def ten_lines(readme: Path) -> str:
    """The example below the heading "Ten lines"."""
    page = readme.read_text(encoding="utf-8")
    found = re.search(r"^## Ten lines\n+```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found, f"{readme} has no ten lines"
    return found[1]


def main() -> None:
    readme = Path(sys.argv[1])
    start = time.perf_counter()
    exec(compile(ten_lines(readme), str(readme), "exec"), {"__name__": "__main__"})  # noqa: S102  (that is the test)
    seconds = time.perf_counter() - start
    import fhe  # noqa: PLC0415  (imports are part of what is tried)
    from fhe.backend.choose import choose  # noqa: PLC0415
    from fhe.cli import agreement  # noqa: PLC0415

    where = Path(fhe.__file__).resolve()
    assert where.is_relative_to(Path(sysconfig.get_path("platlib")).resolve()), f"fhe comes from {where}"
    assert (where.parent / "py.typed").exists()
    assert choose().name == os.environ.get("FHE_BACKEND", "native"), choose()
    checks = list(agreement.checks())
    assert agreement.agree(checks), checks
    parties = sorted({f"{check.backend} {check.target}" for check in checks})
    found = {"fhe": fhe.__version__, "python": sys.version.split()[0], "ten_lines_seconds": round(seconds, 2)}
    print(json.dumps(found | {"agree": parties}))


if __name__ == "__main__":
    main()
