"""Where the files of this folder find each other, and the libraries that they are about."""

import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

HAS_PEERS = find_spec("kornia") is not None
"""Whether the dependency group "peers" is installed; a run of all tests may well go without."""

collect_ignore = [] if HAS_PEERS else ["test_migrations.py", "test_parity.py"]

if HAS_PEERS:
    # Some of them warn when imported, which would count as an error while tests are collected.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import parity  # noqa: F401 - it imports them all
